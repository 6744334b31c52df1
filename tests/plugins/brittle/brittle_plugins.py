"""A handler that is torn down before a modify and can't always be, and one that builds on it.

Whether something goes wrong stands in the resource: ``stuck`` is how a scaffold fails to be removed, ``cracked`` that
a footing fails.
"""

from esi_worker import api


class Footing(api.Handler):
    order = 100
    record_kind = "footings"

    def apply(self, job, context):
        if context.params.get("cracked"):
            raise api.PermanentError("the footing is cracked")
        return api.Done({"footing": f"laid by version {job.version}"}, record={"version": job.version})

    def remove(self, job, context):
        return api.Done({}, record=None)


class Scaffold(api.Handler):
    order = 200
    torn_down_before_modify = True
    record_kind = "scaffolds"

    def apply(self, job, context):
        return api.Done({"scaffold": f"put up by version {job.version}"}, record={"version": job.version})

    def remove(self, job, context):
        stuck = context.params.get("stuck")
        if stuck == "for good":
            raise api.PermanentError("the scaffold is stuck for good")
        if stuck == "for now":
            raise api.TemporaryError("the scaffold is stuck for now")
        if stuck == "bug":
            raise ValueError("the scaffold is no scaffold")
        return api.Done({}, record=None)


BOTH = {"footing": {"constant": "footing"}, "scaffold": {"constant": "scaffold"}}
WALL = api.ResourceType("wall", "walls", templates=BOTH)
LODGE = api.ResourceType("lodge", "lodges", relations={"wall_id": "wall"}, templates={"footing": {"constant": "lodge"}})
TENT = api.ResourceType("tent", "tents", templates={"scaffold": {"constant": "scaffold"}})
