"""The options of esi-worker itself, group by group.  They are made inside functions: nothing happens at import."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from oslo_config import cfg

ROLES = ("job_manager", "worker", "collector")

REFUSE = "refuse"
READ = "read"


def groups() -> Iterator[tuple[str, Sequence[cfg.Opt]]]:
    """Name of the group -> its options; DEFAULT comes first."""
    yield "DEFAULT", _default_options()
    yield "etcd", _etcd_options()
    yield "job_manager", _job_manager_options()
    yield "worker", _worker_options()
    yield "collector", _collector_options()
    yield "monitoring", _monitoring_options()
    yield "templates", _templates_options()
    yield "catalog", _catalog_options()
    yield from _client_options()


def _client_options() -> Iterator[tuple[str, Sequence[cfg.Opt]]]:
    # Imported here because of all that ncclient brings along.
    from esi_worker.clients import netconf
    from esi_worker.clients import snmp

    yield netconf.list_options()
    yield snmp.list_options()


def _default_options() -> list[cfg.Opt]:
    return [
        cfg.ListOpt(
            "roles",
            default=list(ROLES),
            metavar="ROLE,...",
            help="What this process does: any of job_manager, worker and collector. Start as many processes as you "
            "like on as many hosts as you like against the same etcd; of the job managers one is active and the "
            "others stand by.",
        )
    ]


def _etcd_options() -> list[cfg.Opt]:
    return [
        cfg.ListOpt(
            "endpoints",
            default=["http://127.0.0.1:2379"],
            help="URLs of the etcd members. When one doesn't answer, the next is taken.",
        ),
        cfg.StrOpt("username", help="etcd user. Together with password; without both, no authentication."),
        cfg.StrOpt("password", secret=True, help="Password of the etcd user."),
        cfg.StrOpt("ca_cert", help="File with the CA certificates that etcd's is checked against (PEM)."),
        cfg.StrOpt("cert_file", help="File with a client certificate (PEM). Together with key_file."),
        cfg.StrOpt("key_file", help="File with the client certificate's key (PEM)."),
        cfg.FloatOpt("timeout", default=10.0, min=0.1, max=300, help="How long one request may take (seconds)."),
    ]


def _job_manager_options() -> list[cfg.Opt]:
    return [
        cfg.IntOpt(
            "lease_ttl",
            default=10,
            min=2,
            max=600,
            help="How long the leader's lease lasts without being renewed (seconds): a standby takes over after "
            "about that time.",
        ),
        cfg.FloatOpt(
            "relist_interval",
            default=300.0,
            min=1,
            help="Everything is listed and compared again at this interval (seconds), whatever the watch said.",
        ),
        cfg.FloatOpt(
            "wait_for_relatives",
            default=60.0,
            min=0,
            help="How long a resource waits for a relative or a template that isn't there (seconds), before its "
            "/state says so. Its next version is tried again, or this one by esictl retry.",
        ),
        cfg.StrOpt(
            "secrets",
            default="inline",
            sample_default="reference",
            choices=[
                ("inline", "a job holds the secrets that its handler needs, as Gohan's other readers of jobs expect"),
                ("reference", "a job says in which resource a secret is, and the worker reads it when the job runs"),
            ],
            help="How secrets such as device passwords are passed to the worker. 'reference' is recommended: it "
            "keeps them out of /jobs.",
        ),
    ]


def _worker_options() -> list[cfg.Opt]:
    return [
        cfg.IntOpt("slots", default=8, min=1, max=1000, help="How many calls of handlers run at the same time."),
        cfg.IntOpt(
            "slots_per_system",
            default=0,
            min=0,
            help="How many slots the jobs for one outside system (a project, a device) may take at the same time, "
            "so that one in trouble leaves room for the others. 0: half of the slots.",
        ),
        cfg.IntOpt(
            "lease_ttl",
            default=15,
            min=2,
            max=600,
            help="How long the worker's lease lasts without being renewed (seconds): the jobs of a worker that died "
            "are taken by others after about that time.",
        ),
        cfg.ListOpt("handlers", default=[], help="Names of the handlers whose jobs are taken. Empty: all."),
        cfg.IntOpt("max_attempts", default=10, min=1, help="A job fails after so many temporary errors."),
        cfg.FloatOpt("retry_delay", default=1.0, min=0, help="Delay before the second attempt (seconds); it doubles."),
        cfg.FloatOpt("retry_delay_max", default=60.0, min=0, help="The delay doesn't grow beyond this (seconds)."),
        cfg.FloatOpt(
            "job_timeout",
            default=21600.0,
            min=1,
            help="How long a job may take in all, its waiting included, before it fails (seconds).",
        ),
        cfg.FloatOpt("call_timeout", default=600.0, min=1, help="How long one call of a handler may take (seconds)."),
        cfg.FloatOpt(
            "drain_timeout",
            default=30.0,
            min=0,
            help="How long the worker waits for running calls when it is stopped (seconds). The jobs of those that "
            "didn't return are taken by others.",
        ),
    ]


def _collector_options() -> list[cfg.Opt]:
    return [
        cfg.FloatOpt("interval", default=60.0, min=0.1, help="Between two readings of a target (seconds)."),
        cfg.IntOpt(
            "lease_ttl",
            default=15,
            min=2,
            max=600,
            help="How long the collector's lease lasts without being renewed (seconds): its share of the targets is "
            "taken by others after about that time.",
        ),
    ]


def _monitoring_options() -> list[cfg.Opt]:
    return [
        cfg.StrOpt(
            "mode",
            default="probe",
            choices=[
                ("probe", "ask the devices, and wait until they report what is wanted"),
                ("trust", "take for granted that every target is as wanted, without asking: for trials without "
                 "devices"),
            ],
            help="Where the status of monitored targets comes from.",
        )
    ]  # fmt: skip


def _templates_options() -> list[cfg.Opt]:
    return [
        cfg.ListOpt(
            "directories",
            default=[],
            help="Directories with templates; of two with the same id the one in the later directory is used. Empty: "
            "the templates that come with esi-worker. Templates in etcd (/config/v2.0/heat_templates) hide those in "
            "files.",
        )
    ]


def _catalog_options() -> list[cfg.Opt]:
    return [
        cfg.BoolOpt("entry_points", default=True, help="Whether the installed packages' resource types are used."),
        cfg.ListOpt(
            "files",
            default=[],
            help="YAML or JSON files, or directories of them, that say more of resource types: of what the packages or "
            "an earlier file say too, the last one is believed, member by member. 'esictl catalog import' makes such "
            "a file of Gohan's schemas, 'esictl catalog check' tells what contradicts or is missing. Read again on "
            "SIGHUP.",
        ),
        cfg.StrOpt(
            "unknown_types",
            default=REFUSE,
            choices=[
                (REFUSE, "its /state says that the type is unknown"),
                (READ, "it is read, for others to refer to, and its /state says READ_COMPLETE"),
            ],
            help="What becomes of a document under a plural that no resource type has.",
        ),
    ]
