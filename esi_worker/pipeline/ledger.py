"""What the active job manager knows: rebuilt from etcd for each term, changed by what it sees and decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping

from oslo_log import log as logging

from esi_worker import api
from esi_worker.pipeline import documents
from esi_worker.pipeline import places
from esi_worker.pipeline import planner as planners
from esi_worker.pipeline import scheduling
from esi_worker.store import base
from esi_worker.store import codec
from esi_worker.store import keys

LOG = logging.getLogger(__name__)


class Ledger:
    """The state of a term, and its only way to write.

    Every write proves leadership, and that what it was planned on is still what is recorded: a write whose outcome
    nobody learned may come late, after the next one of the same leader.

    :ivar planner: the cache, what was planned, the unfinished jobs
    :ivar paths: where the resources stand
    :ivar orphans: path -> version of what was planned when the catalog still had its type
    :ivar published: path -> what ``/state`` says, as of the last listing and what was written since
    :ivar claimed: ids of jobs that somebody runs
    :ivar failed: ids of jobs that failed and are about to be removed
    :ivar gone: resources whose config document is gone, until nothing is left of them
    :ivar own: ids of this term's jobs that etcd has not told of yet -> revision of their writing, None before it
    :ivar deferred: what is to be published when the jobs of a resource have ended
    :param fence: proves leadership in every write
    """

    def __init__(
        self, store: base.Store, rules: planners.Rules, templates: Mapping[str, api.Template], fence: base.Compare
    ) -> None:
        self.store = store
        self.rules = rules
        self.file_templates = templates
        self.planner = planners.Planner(rules, dict(templates))
        self.paths: dict[api.Ref, keys.Path] = {}
        self.orphans: dict[str, int] = {}
        self.published: dict[str, documents.Published] = {}
        self.claimed: set[str] = set()
        self.failed: set[str] = set()
        self.gone: set[api.Ref] = set()
        self.deferred: dict[api.Ref, Callable[[], None]] = {}
        self.own: dict[str, int | None] = {}
        self._fence = fence
        self._revisions: dict[str, int] = {}
        self._writes: list[scheduling.Write] = []

    def path(self, ref: api.Ref) -> keys.Path:
        """Where a resource stands."""
        return self.paths.get(ref) or self.rules.catalog.path(ref)

    def place(self, ref: api.Ref) -> keys.Path | None:
        """Where a resource stands; None where the catalog has no such type (any more)."""
        try:
            return self.path(ref)
        except (api.CatalogError, api.DocumentError):
            return None

    def state_of(self, ref: api.Ref) -> documents.Published | None:
        """What ``/state`` says of a resource."""
        return self.published.get(str(self.path(ref)))

    def taken(self) -> set[str]:
        """The jobs that must not be dropped: somebody runs them, or they failed."""
        return self.claimed | self.failed

    def load_recorded(self) -> None:
        """List what was turned into workflows: the cache as it was planned on.

        :raises StoreError: if etcd can't be asked
        """
        for page in self.store.pages(keys.RECORDED):
            for entry in page.entries:
                self._revisions[entry.key] = entry.mod_revision
                self._record(entry)

    def load_published(self) -> None:
        """List what was published.  Jobs must have been listed before: a job that is gone has its state written.

        :raises StoreError: if etcd can't be asked
        """
        self.published = {}
        for page in self.store.pages(keys.STATE):
            for entry in page.entries:
                published = documents.parse_state(entry.value)
                if published is not None:
                    self.published[entry.key.removeprefix(keys.STATE)] = published

    def forget(self, path: keys.Path) -> None:
        """Nothing of a resource is to be left."""
        self.published.pop(str(path), None)
        kinds = {traits.record_kind for traits in self.rules.handlers.values()}
        self.submit(scheduling.forget(path, kinds, places.to_forget(self.rules.catalog, path)))

    def forget_published(self, path: keys.Path) -> None:
        """The same, of one that was refused: nothing but its ``/state`` and its trace tells of it."""
        if str(path) in self.published:
            self.forget(path)

    def submit(self, write: scheduling.Write) -> None:
        """Something is decided; it is written with the next :meth:`flush`."""
        self.own.update(dict.fromkeys(scheduling.new_jobs(write)))
        self._writes.append(write)

    def flush(self) -> None:
        """Write what was decided, several decisions in one transaction.

        :raises Conflict: if this manager leads no more
        :raises StoreError: if etcd did not take it, or perhaps did
        """
        writes, self._writes = self._writes, []
        for group in scheduling.grouped(writes):
            if not self.commit(group):
                raise api.Conflict(
                    "the job manager's write was refused: it leads no more, or what it goes by is not what is recorded"
                )

    def commit(self, write: scheduling.Write) -> bool:
        """Write this now.

        :returns: whether all its conditions held
        """
        as_known = [base.unchanged(key, self._revisions.get(key, 0)) for key in write.recorded]
        outcome = self.store.transact([self._fence, *as_known, *write.compares], write.operations)
        if outcome.succeeded:
            self.own.update(dict.fromkeys(scheduling.new_jobs(write), outcome.revision))
            for each in write.operations:
                if each.key.startswith(keys.RECORDED):
                    self._revisions[each.key] = outcome.revision if isinstance(each, base.Put) else 0
        return outcome.succeeded

    def _record(self, entry: base.Entry) -> None:
        try:
            path = keys.parse_path(entry.key.removeprefix(keys.RECORDED))
            recorded = documents.Recorded.from_document(codec.decode(entry.value))
        except (api.DocumentError, KeyError, TypeError) as error:
            LOG.error("%s is no record that esi-worker wrote, it is left aside: %r", entry.key, error)
            return
        resource_type = self.rules.catalog.type_of_path(path)
        if resource_type is None:
            LOG.warning("%s: the catalog has no %s/%s any more", entry.key, path.prefix, path.plural)
            self.orphans[str(path)] = recorded.version
            return
        ref = api.Ref(resource_type.id, path.id)
        self.paths[ref] = path
        self.planner.recorded[ref] = recorded
        if not recorded.deleted:
            self.planner.resources[ref] = api.Resource(ref, recorded.body, recorded.version)


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
