"""Probes that read lamps of a panel: a good one, and for each promise one that breaks it."""

import contextlib

from esi_worker import api


class Panel:
    """The device: lamps by number, asked for all at once."""

    def __init__(self):
        self.lamps = {1: "on", 2: "off"}
        self.asked = 0
        self.mute = False

    def ask(self):
        self.asked += 1
        if self.mute:
            raise TimeoutError("no answer")
        return dict(self.lamps)

    @contextlib.contextmanager
    def silent(self):
        self.mute = True
        try:
            yield
        finally:
            self.mute = False


class Session:
    def __init__(self, panel):
        self.panel = panel

    def close(self):
        self.panel = None


class Good(api.Probe):
    """One look at the panel serves all lamps."""

    panel = None
    wanted_status = "on"

    def targets(self, name, properties):
        host = self._text(name, properties, "host")
        lamp = properties.get("lamp")
        if not isinstance(lamp, int):
            raise api.PermanentError(f"target {name}: lamp must be a number")
        device = api.Device(host, password=self._text(name, properties, "password"))
        wanted = properties.get("wanted_status", self.wanted_status)
        timeout = float(properties.get("timeout", self.timeout))
        return api.Target(name, self.settings.name, device, {"lamp": lamp}, wanted, timeout)

    def _text(self, name, properties, key):
        if not isinstance(properties.get(key), str) or not properties[key]:
            raise api.PermanentError(f"target {name}: {key} is missing or no text")
        return properties[key]

    def connect(self, device):
        if self.panel.mute:
            raise api.Unreachable(f"{device} does not answer")
        return Session(self.panel)

    def read(self, session, targets):
        try:
            lamps = session.panel.ask()
        except TimeoutError as error:
            raise api.Unreachable("the panel does not answer") from error
        return {api.key(each): lamps[each.question["lamp"]] for each in targets if each.question["lamp"] in lamps}


class KeysByName(Good):
    def read(self, session, targets):
        answers = super().read(session, targets)
        return {each.name: answers[api.key(each)] for each in targets if api.key(each) in answers}


class LetsKeyErrorThrough(Good):
    def targets(self, name, properties):
        return super().targets(name, {**properties, "host": properties["host"]})


class DoesNotCheck(Good):
    def targets(self, name, properties):
        device = api.Device(properties.get("host"))
        return api.Target(name, self.settings.name, device, {"lamp": properties.get("lamp")}, "on")


class NamesNoProperty(Good):
    def targets(self, name, properties):
        try:
            return super().targets(name, properties)
        except api.PermanentError:
            raise api.PermanentError("bad properties") from None


class AsksForEach(Good):
    def read(self, session, targets):
        answers = {}
        for each in targets:
            answers.update(super().read(session, [each]))
        return answers


class StatusIsABool(Good):
    def read(self, session, targets):
        return {key: status == "on" for key, status in super().read(session, targets).items()}


class RaisesRaw(Good):
    def read(self, session, targets):
        lamps = session.panel.ask()
        return {api.key(each): lamps[each.question["lamp"]] for each in targets if each.question["lamp"] in lamps}


class SilenceIsAStatus(Good):
    def read(self, session, targets):
        try:
            return super().read(session, targets)
        except api.Unreachable:
            return {api.key(each): "off" for each in targets}


class UnknownIsAnError(Good):
    def read(self, session, targets):
        lamps = super().read(session, targets)
        for each in targets:
            if api.key(each) not in lamps:
                raise api.PermanentError(f"no lamp {each.question['lamp']}")
        return lamps


class ShowsThePassword(Good):
    def targets(self, name, properties):
        if not isinstance(properties.get("lamp"), int):
            raise api.PermanentError(f"target {name}: lamp is wrong in {properties}")
        return super().targets(name, properties)


class PasswordInQuestion(Good):
    def targets(self, name, properties):
        target = super().targets(name, properties)
        question = {**target.question, "password": target.device.password}
        return api.Target(name, target.probe, target.device, question, target.wanted_status, target.timeout)


class WrongName(Good):
    def targets(self, name, properties):
        target = super().targets(name, properties)
        return api.Target(name, "lamp", target.device, target.question, target.wanted_status, target.timeout)


class IgnoresTheTimeout(Good):
    def targets(self, name, properties):
        kept = {key: value for key, value in properties.items() if key != "timeout"}
        return super().targets(name, kept)


class CloseFails(Good):
    def connect(self, device):
        session = super().connect(device)
        session.close = lambda: session.__dict__.pop("panel")
        return session


class PublishesLowerCase(Good):
    def published(self, status):
        return status


class WrongShape(Good):
    def read(self, session):
        return {}
