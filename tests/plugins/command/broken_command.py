"""Commands that can't be commands."""

import sys

from cliff import command


class Fine(command.Command):
    """Is all right, but for its name."""

    def take_action(self, parsed_args):
        return 0


class Base:
    """Has the methods, but not the base."""

    def __init__(self, app, app_args, cmd_name=None):
        self.app = app

    def run(self, parsed_args):
        return 0


class Abstract(command.Command):
    """Has nothing to do."""


class Action(Fine):
    """Wants no arguments."""

    def take_action(self):
        return 0


class Coroutine(Fine):
    """Is waited for by nobody."""

    async def take_action(self, parsed_args):
        return 0


class Arguments(Fine):
    """Wants more than it gets."""

    def __init__(self, app, app_args, card):
        super().__init__(app, app_args)


class Constructor(Fine):
    """Has no luck."""

    def __init__(self, app, app_args, cmd_name=None):
        super().__init__(app, app_args, cmd_name)
        raise OSError("no such greeting card")


class Exits(Fine):
    """Is in a hurry."""

    def __init__(self, app, app_args, cmd_name=None):
        sys.exit(3)


class Describes(Fine):
    """Does not know what it is."""

    def get_description(self):
        return {}["description"]


class DescribesBadly(Fine):
    """Says what it is in another way."""

    _description = ("a", "description")

    def get_parser(self, prog_name):
        self._description = ""
        return super().get_parser(prog_name)


class Parser(Fine):
    """Has no parser."""

    def get_parser(self, prog_name):
        super().get_parser(prog_name)


class Options(Fine):
    """Has an option whose help can't be written."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("--share", help="so many %(percent)s")
        return parser


def function(app, app_args):
    return 0
