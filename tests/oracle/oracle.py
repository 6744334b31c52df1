"""Planning once more, written from the description alone: plain dicts, no index, no cleverness.

It knows nothing of :mod:`esi_worker`, so that the two can only agree where both follow the description.

Where the description leaves a choice, the oracle raises :class:`language.Ambiguous` and takes nothing of the
event: whoever makes up documents leaves it out then.
"""

import copy
import json

from tests.oracle import language

HEAT = "heat_worker"
MONITORING = "monitoring_worker"
TEMPLATES = "/config/v2.0/heat_templates/"
TABLE = {
    ("create", True, True): [("create", HEAT), ("create", MONITORING)],
    ("create", True, False): [("create", HEAT)],
    ("create", False, True): [("create", MONITORING)],
    ("modify", True, True): [("delete", MONITORING), ("modify", HEAT), ("create", MONITORING)],
    ("modify", True, False): [("modify", HEAT)],
    ("modify", False, True): [("delete", MONITORING), ("create", MONITORING)],
    ("logical_delete", True, True): [("delete", MONITORING), ("logical_delete", HEAT)],
    ("logical_delete", True, False): [("logical_delete", HEAT)],
    ("logical_delete", False, True): [("delete", MONITORING)],
}


def name_of(job):
    """What tells a job from others, suffix aside."""
    return tuple(job[each] for each in ("action", "handler", "resource_type", "resource_id", "version"))


def once(refs):
    return list(dict.fromkeys(refs))


class Oracle:
    """Takes config documents one by one; ``jobs`` are all jobs so far, in their order.

    :param places: type -> (prefix, plural)
    :param order: ref -> anything sortable: in which order those go that need not wait any more, which is open
    :ivar waiting: refs that miss another resource, in the order of their documents
    :ivar wrong: ref -> what was wrong with a mapping
    :ivar read: refs that no template is named for
    """

    def __init__(self, relations, choices, places, order=lambda ref: 0):
        self.order = order
        self.relations, self.choices = relations, choices
        self.types = {place: kind for kind, place in places.items()}
        self.templates, self.documents, self.recorded = {}, {}, {}
        self.waiting, self.wrong, self.read = [], {}, []
        self.jobs, self.unfinished = [], []
        self.asked = set()  # what an evaluation looked for
        self.edges = {}  # the same of each that waits, when it was evaluated last

    def feed(self, key, document):
        """One event; a document that is None is a removal.

        :returns: the jobs that it causes, also those of resources that waited
        :raises language.Ambiguous: having taken nothing
        """
        before = {name: copy.copy(value) for name, value in vars(self).items()}
        try:
            return self._feed(key, document)
        except language.Ambiguous:
            vars(self).update(before)
            raise

    def finish(self, job):
        """A job is done: nothing waits for it any more."""
        self.unfinished = [each for each in self.unfinished if name_of(each) != job]

    def _feed(self, key, document):
        known, changed = len(self.jobs), []
        if document and isinstance(document["body"], str):
            document = {**document, "body": json.loads(document["body"])}
        if key.startswith(TEMPLATES):
            self.templates[key.removeprefix(TEMPLATES)] = document["body"]
        else:
            prefix, plural, name = key.removeprefix("/config/").rsplit("/", 2)
            changed = self._change((self.types[prefix, plural], name), document)
        self._release(changed)
        return self.jobs[known:]

    def _change(self, ref, document):
        """:returns: what is to be planned now."""
        old = self.recorded.get(ref)
        if document is None:
            self._vanish(ref, old)
            return []
        if document == self.documents.get(ref):
            if not old and ref not in self.waiting:
                raise language.Ambiguous("once more what could not be planned")
            return []
        known = self.documents.get(ref) or {"version": 0}
        if document["version"] <= known["version"]:
            raise language.Ambiguous("another document of the same version, or an older one")
        if old["marked_for_deletion"] if old else document["marked_for_deletion"]:
            raise language.Ambiguous("a mark on what was never planned, or a change after the mark")
        self.documents[ref] = document
        self.waiting = [each for each in self.waiting if each != ref]
        return [ref]

    def _vanish(self, ref, old):
        """A document is gone: what was planned and not marked is torn down from its recorded copy."""
        self.documents.pop(ref, None)
        self.waiting = [each for each in self.waiting if each != ref]
        if self.recorded.pop(ref, None) and not old["marked_for_deletion"]:
            try:
                self._write(ref, "logical_delete", old, old)
            except (language.Missing, language.Wrong):
                raise language.Ambiguous("a deletion that waits, or can't be planned") from None

    def _release(self, changed):
        """Plan what has changed, then what waited and need not wait any more, in the order of its documents."""
        asked = sorted([*changed, *self.waiting], key=self.order)
        stuck = self._stuck(asked)
        self.waiting = [ref for ref in [*self.waiting, *changed] if ref in stuck]
        for ref in asked:
            if ref not in stuck:
                self._plan(ref)

    def _stuck(self, asked):
        """Those that miss another resource, and those that pass one that is stuck: its jobs don't exist yet.

        Where some wait for each other in a circle and for something else as well, who goes first is open.
        """
        passed, stuck, edges = {}, set(), {}
        for ref in asked:
            self.asked = set()
            missing, passed[ref] = self._look(ref)
            edges[ref] = (self.asked | passed[ref]) - {ref}
            stuck |= {ref} if missing else set()
        # Who goes first may also come from what waited for what before this event.
        edges, self.edges = {ref: edges[ref] | self.edges.get(ref, set()) for ref in asked}, edges
        while more := {ref for ref in asked if not self._marked(ref) and stuck & passed[ref]} - stuck:
            stuck |= more
        for ref in stuck:
            reached = edges[ref] & stuck
            while more := {each for one in reached for each in edges[one] & stuck} - reached:
                reached |= more
            if ref in reached or self._marked(ref):
                raise language.Ambiguous("a deletion that waits, or waiting in a circle")
        return stuck

    def _marked(self, ref):
        return self.documents[ref]["marked_for_deletion"]

    def _look(self, ref):
        """:returns: whether a resource is missing, and all that the resource's params pass, itself left out."""
        missing, wrong, passed = False, False, set()
        for document in filter(None, (self.documents[ref], self.recorded.get(ref))):
            place = language.Place(self, ref, document["body"], document["version"], ref[0])
            for mapping in self._mappings(ref, document):
                try:
                    passed |= set(language.evaluate(mapping, place)[2])
                except language.Missing:
                    missing = missing or document is self.documents[ref]
                except language.Wrong:
                    wrong = True
        if missing and wrong:
            raise language.Ambiguous("a resource is missing, and a mapping is wrong")
        return missing, set() if wrong else passed - {ref}

    def _mappings(self, ref, document):
        try:
            chosen = self._choose(ref, document).values()
        except language.Wrong:
            return []
        return [mapping for each in chosen for mapping in self.templates[each]["parameter_mappings"].values()]

    def _plan(self, ref):
        new, old = self.documents[ref], self.recorded.get(ref)
        action = "logical_delete" if new["marked_for_deletion"] else "modify" if old else "create"
        try:
            self._write(ref, action, new, old)
        except language.Wrong as error:
            if self._marked(ref):
                raise language.Ambiguous("a deletion that can't be planned") from None
            self.wrong[ref] = str(error)
        else:
            self.recorded[ref] = new

    def _choose(self, ref, document):
        place = language.Place(self, ref, document["body"], document["version"], ref[0])
        choices = {handler: by_type.get(ref[0]) for handler, by_type in self.choices.items()}
        found = {
            handler: language.evaluate(choice, place)[1] for handler, choice in choices.items() if choice is not None
        }
        return {handler: template for handler, template in found.items() if template is not None}

    def _write(self, ref, action, new, old):
        chosen = self._choose(ref, new)
        if old and self._choose(ref, old) != chosen:
            raise language.Ambiguous("another template after a change")
        if not chosen:
            self.read = [*[each for each in self.read if each != ref], ref]
            return
        rows = TABLE[action, HEAT in chosen, MONITORING in chosen]
        jobs = [self._job(ref, row, action, chosen[row[1]], new, old) for row in rows]
        passed = [(each["resource_type"], each["resource_id"]) for job in jobs for each in listed(job)]
        outside = [job for job in self.unfinished if self._first(job, ref, action, passed)]
        for number, job in enumerate(jobs):
            job["is_first"], job["is_last"] = number == 0, number == len(jobs) - 1
            job["dependency"] = {name_of(each) for each in (jobs[:number] if number else outside)}
            ignored = job["action"] == "delete" and len(jobs) > 1
            job["on_failure"] = "ignore" if ignored else "fail"
        self.jobs = self.jobs + jobs
        self.unfinished = self.unfinished + jobs

    def _first(self, job, ref, action, passed):
        """Whether a job must be finished before a workflow of a resource begins."""
        of = (job["resource_type"], job["resource_id"])
        forward = job["handler"] == HEAT and of in passed
        reverse = action != "create" and {"resource_type": ref[0], "resource_id": ref[1]} in listed(job)
        return forward or reverse or of == ref

    def _job(self, ref, row, action, template, new, old):
        mappings = self.templates[template]["parameter_mappings"]
        torn_down = action == "modify" and row[0] == "delete"
        return {
            "action": row[0], "handler": row[1], "resource_type": ref[0], "resource_id": ref[1],
            "version": new["version"], "resource_input": new["body"],
            "params": [self._param(name, mappings[name], ref, new, old, torn_down) for name in sorted(mappings)],
        }  # fmt: skip

    def _param(self, name, mapping, ref, new, old, torn_down):
        kind, value, passed = language.evaluate(mapping, language.Place(self, ref, new["body"], new["version"], ref[0]))
        if old:
            try:
                before = language.evaluate(mapping, language.Place(self, ref, old["body"], old["version"], ref[0]))
            except (language.Missing, language.Wrong):
                raise language.Ambiguous("a previous body that can't be evaluated any more") from None
            passed = once(passed + before[2])
            if torn_down:
                kind, value, _ = before
        if kind == "list":
            value = [{"param": name, "type": "output_key", "value": each, "resources": []} for each in value]
        resources = [{"resource_type": kind, "resource_id": name} for kind, name in passed]
        return {"param": name, "type": kind, "value": value, "resources": resources}


def listed(job):
    """All resources that a job's params list."""
    return [ref for param in job["params"] for ref in param["resources"]]
