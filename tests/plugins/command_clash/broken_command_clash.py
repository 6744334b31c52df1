"""Commands with the names of others."""

from cliff import command


class Mine(command.Command):
    """Do something else."""

    def take_action(self, parsed_args):
        self.app.stdout.write("mine\n")
