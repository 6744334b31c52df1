"""esi-worker turns what the network should be into what the network is.

One resource passes seven places in etcd.  Each stage reads the one before and writes the next; nothing goes back::

    1  /config/<P>                    Gohan, or esictl apply
    2  /jobs/all/<job id>             pipeline.manager        one job per handler
    3  /esi-worker/heat_stacks/<P>    pipeline.worker         the record of handlers.heat_worker
    4  /esi-worker/job_state/<P>      pipeline.worker         heat_outputs, after the heat_worker job
    5  the same key                   pipeline.worker         state_monitoring too, after the monitoring_worker job
    6  /state/<P>                     pipeline.worker         with the last job of the workflow
    7  /monitoring/<P>                pipeline.collector      for as long as the resource lives

::

    /config --> reader --> manager --> /jobs/all --> worker --> handler --> Heat, devices
                 cache      plan        (queue)       claim        |
                                                                   v
                        collector --> /monitoring      job_state, state

The stages never import each other: they meet in the store.  Handlers, resolvers, probes, resource types and
commands are plug-ins (:mod:`esi_worker.api`), the built-in ones too.  All that knows etcd is in
:mod:`esi_worker.store`; all that knows Heat, NETCONF or jinja2 in :mod:`esi_worker.clients`.
"""
