"""A command that another package has too."""

from cliff import command


class Greet(command.Command):
    """Greet."""

    def take_action(self, parsed_args):
        self.app.stdout.write("hello\n")
