"""Jobs for tests, made with as few words as possible."""

from __future__ import annotations

from esi_worker import api


def job(
    name: str,
    *,
    action: str = api.CREATE,
    handler: str = "heat_worker",
    version: int = 1,
    after: tuple[str, ...] = (),
    passes: tuple[str, ...] = (),
    on_failure: str = api.FAIL,
    first: bool = True,
    last: bool = True,
    suffix: str = "aaaaa",
) -> api.Job:
    """A job of the resource ``type:id``; ``passes`` are the resources that its only param passed."""
    resource_type, _, resource_id = name.partition(":")
    params = (api.Param("p", api.VALUE, 1, tuple(ref(each) for each in passes)),)
    return api.Job(
        id=f"{action}:{handler}:{name}:{version}:{suffix}",
        handler=handler,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        version=version,
        dependency=after,
        is_first=first,
        is_last=last,
        on_failure=on_failure,
        params=params,
        resource_input={"id": resource_id, "tenant_id": "t1"},
    )


def ref(name: str) -> api.Ref:
    """The resource ``type:id``."""
    return api.Ref(*name.split(":"))
