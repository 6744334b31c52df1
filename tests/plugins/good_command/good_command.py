"""Commands that are all right."""

from cliff import command
from cliff import lister


class GreetAll(command.Command):
    """Greet everybody who is named.

    Once each.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("names", nargs="*")
        return parser

    def take_action(self, parsed_args):
        self.app.stdout.write("".join(f"hello {each}\n" for each in parsed_args.names))


class Wave(lister.Lister):
    def __init__(self, app, app_args):
        super().__init__(app, app_args)

    def take_action(self, parsed_args):
        return ("wave",), [("o/",)]
