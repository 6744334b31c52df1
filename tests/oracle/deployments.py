"""Random deployments: types, templates and a history of config documents, all from a seed.

The oracle takes part in making them: an event whose outcome the description leaves open is left out.
"""

import json
import random

from tests.oracle import language
from tests.oracle import oracle
from tests.oracle import schemas

ACTIONS = {
    "create": 60, "modify": 34, "mark": 6, "remove": 6, "vanish": 2, "again": 4, "template": 4, "recreate": 2,
}  # fmt: skip


class Deployment:
    """A catalog and events, made from a seed.

    :param seed: the same one gives the same deployment
    :param jobs: about how many jobs are wanted
    :param kinds: how many types, at least and at most
    :ivar catalog: a catalog document
    :ivar events: ``{"key", "value"}``
    :ivar left_out: why events were left out -> how often
    """

    def __init__(self, seed, jobs=250, kinds=(8, 20), actions=ACTIONS):
        self.random = random.Random(seed)
        self.actions = actions
        self.schemas = schemas.Schemas(self.random, self.random.randint(*kinds))
        self.catalog = self.schemas.catalog()
        self.events, self.left_out = [], {}
        self.oracle = self.new_oracle()
        self._bodies, self._versions, self._marked, self._removed, self._choices = {}, {}, set(), [], {}
        self._pools = {kind: [f"{kind[:6]}-{n}" for n in range(self.random.randint(3, 9))] for kind in self._kinds()}
        self._to_come = [(kind, name) for kind, pool in self._pools.items() for name in pool]
        self.random.shuffle(self._to_come)
        for template in self.schemas.templates():
            self._put_template(template)
        while len(self.oracle.jobs) < jobs and len(self.events) < 4 * jobs:
            self._step()
        while self._to_come:
            self._create()

    def new_oracle(self, order=lambda ref: 0):
        """An oracle that knows nothing but the types."""
        return oracle.Oracle(self.schemas.relations, self.schemas.choices, self.schemas.places, order)

    def path(self, ref):
        """Where a resource stands."""
        return "/".join((*self.schemas.places[ref[0]], ref[1]))

    def _kinds(self):
        return list(self.schemas.places)

    def _step(self):
        names, weights = zip(*self.actions.items(), strict=True)
        getattr(self, f"_{self.random.choices(names, weights)[0]}")()

    def _feed(self, key, value):
        """:returns: whether the event is taken."""
        try:
            self.oracle.feed(key, value)
        except language.Ambiguous as error:
            self.left_out[str(error)] = self.left_out.get(str(error), 0) + 1
            return False
        self.events.append({"key": key, "value": value})
        return True

    def _put(self, ref, body, version, marked=False):
        written = json.dumps(body) if self.random.random() < 0.5 else body
        document = {"body": written, "version": version, "marked_for_deletion": marked}
        taken = self._feed(f"/config/{self.path(ref)}", document)
        if taken:
            self._bodies[ref], self._versions[ref] = body, version
        return taken

    def _put_template(self, template):
        written = json.dumps(template) if self.random.random() < 0.5 else template
        document = {"body": written, "version": 1, "marked_for_deletion": False}
        self._feed(oracle.TEMPLATES + template["id"], document)

    def _body(self, ref):
        """A body; what the choice of a template looks at stays as it was."""
        body = self.schemas.body(ref, self._pools, self._bodies)
        return body | self._choices.setdefault(ref, {name: body[name] for name in schemas.DECIDING})

    def _live(self):
        """A resource that is there and not marked, or None."""
        found = [ref for ref in self._bodies if ref not in self._marked]
        planned = [ref for ref in found if ref in self.oracle.recorded]
        found = planned if planned and self.random.random() < 0.9 else found
        return self.random.choice(found) if found else None

    # -- what may happen ---------------------------------------------------------------------------------------

    def _create(self):
        if self._to_come:
            ref = self._to_come.pop()
            self._put(ref, self._body(ref), 1)

    def _modify(self):
        ref = self._live()
        if ref:
            body = {**self._bodies[ref], **dict(self.random.sample(sorted(self._body(ref).items()), 3))}
            self._put(ref, body, self._versions[ref] + self.random.choice((1, 1, 1, 3)))

    def _mark(self):
        ref = self._live()
        if ref in self.oracle.recorded and self._put(ref, self._bodies[ref], self._versions[ref] + 1, marked=True):
            self._marked.add(ref)

    def _remove(self):
        if self._marked:
            self._gone(self.random.choice(sorted(self._marked)))

    def _vanish(self):
        ref = self._live()
        if ref:
            self._gone(ref)

    def _gone(self, ref):
        if self._feed(f"/config/{self.path(ref)}", None):
            self._marked.discard(ref)
            del self._bodies[ref]
            self._removed.append(ref)

    def _again(self):
        if self.events:
            event = self.random.choice(self.events[-12:])
            if event["value"] and not event["key"].startswith(oracle.TEMPLATES):
                self._feed(**event)

    def _recreate(self):
        if self._removed:
            ref = self._removed.pop(self.random.randrange(len(self._removed)))
            self._put(ref, self._body(ref), 1)

    def _template(self):
        self._put_template(self.random.choice(self.schemas.templates(self.random)))
