"""What goes wrong between esi-worker and Heat, over real sockets."""

from __future__ import annotations

import dataclasses
import logging
import socket
import threading
import time
from concurrent import futures

from esi_worker import api
from esi_worker.testing import heat
from tests.functional import heat_base
from tests.functional.heat_base import NAME
from tests.functional.heat_base import PASSWORD
from tests.functional.heat_base import STACKS
from tests.functional.heat_base import TENANT


class UnknownOutcomeTest(heat_base.HeatCase):
    """A request is carried out, then the connection is lost: the next call looks."""

    def lose(self, method: str, action: str, version: int) -> None:
        self.server.faults.add("lose", method)
        with self.assertRaises(api.Unreachable):
            self.settle(heat_base.job(action, version), self.context(), self.worker)
        self.settle(heat_base.job(action, version), self.context(), self.worker)
        self.assertEqual(0, self.server.faults.left)

    def test_exactly_one_create_one_update_one_delete(self) -> None:
        self.lose("POST", api.CREATE, 1)
        self.assertEqual(1, len(self.stacks.all()))
        self.lose("PUT", api.MODIFY, 2)
        self.lose("DELETE", api.LOGICAL_DELETE, 3)
        self.assertEqual(["POST", "PUT", "DELETE"], self.writes())
        self.assertEqual([], self.stacks.all())

    def test_a_cut_at_any_call(self) -> None:
        """Whichever request or answer is lost, the end is the same, and every write is carried out once."""
        actions = ((api.CREATE, 1), (api.MODIFY, 2), (api.LOGICAL_DELETE, 3))
        points = 0
        for kind in ("lose", "reset"):
            for nth in range(100):
                self.server.forget()
                self.server.faults.add(kind, after=nth)
                turns = []
                for action, version in actions:
                    self.settle(heat_base.job(action, version), self.context(), self.worker, forgive=1)
                    stack = self.stacks.get(TENANT, NAME)
                    turns.append(0 if stack is None else stack.turn)
                self.assertEqual([1, 2, 0], turns, f"{kind} of request {nth}")
                if self.server.faults.left:
                    break
                points += 1
            self.server.faults.clear()
        self.assertGreater(points, 20)


class TroubleTest(heat_base.HeatCase):
    """Each of these is temporary, and the next attempt goes on."""

    def temporary(self, error: type[api.TemporaryError] = api.Unreachable, **options: object) -> api.TemporaryError:
        worker = self.worker(**options)
        with self.assertRaises(error) as caught:
            self.settle(heat_base.job(), self.context(), lambda: worker)
        self.assertEqual(0, self.server.faults.left)
        self.settle(heat_base.job(), self.context(), lambda: worker)
        self.assertEqual("CREATE_COMPLETE", self.stack().stack_status)
        shown = f"{caught.exception.message}{caught.exception.detail}"
        self.assertNotIn(PASSWORD, shown)
        return caught.exception

    def test_at_every_call(self) -> None:
        for method in ("GET", "POST"):
            for kind in ("reset", "html", "deep", 500, 502, 503, 504):
                with self.subTest(method=method, kind=kind):
                    self.stacks.vanish(TENANT, NAME)
                    self.server.faults.add(kind, method)
                    self.temporary()

    def test_a_hang_ends_with_the_timeout(self) -> None:
        self.server.faults.add("hang", "GET")
        self.assertIn("in time", self.temporary(timeout=0.3).message)
        self.stacks.vanish(TENANT, NAME)
        self.server.faults.add("hang", "POST")
        self.temporary(timeout=0.3)

    def test_a_server_that_accepts_and_never_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            worker = self.worker(endpoint=f"http://127.0.0.1:{mute.getsockname()[1]}/v1/%(tenant_id)s", timeout=0.2)
            with self.assertRaises(api.Unreachable):
                worker.apply(heat_base.job(), self.context())

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with self.assertRaisesRegex(api.Unreachable, "no connection"):
            self.worker(endpoint=f"http://127.0.0.1:{port}/v1").apply(heat_base.job(), self.context())

    def test_a_proxys_404_is_not_taken_for_an_answer(self) -> None:
        self.done()
        self.server.faults.add(404, "GET", body=b"<html>no such page</html>")
        with self.assertRaises(api.TemporaryError):
            self.done(api.LOGICAL_DELETE, 2)
        self.assertEqual("CREATE_COMPLETE", self.stack().stack_status)

    def test_404_of_a_stack_that_vanishes_before_the_update(self) -> None:
        self.done()
        body = {"code": 404, "error": {"type": "EntityNotFound", "message": "The Stack could not be found."}}
        self.server.faults.add(404, "PUT", body=body)
        self.settle(heat_base.job(api.MODIFY, 2), self.context(), self.worker, forgive=1)
        self.server.faults.add(404, "DELETE", body=body)
        self.settle(heat_base.job(api.LOGICAL_DELETE, 3), self.context(), self.worker)

    def test_409_looks_again(self) -> None:
        body = {"code": 409, "error": {"type": "StackExists", "message": "The Stack already exists."}}
        self.server.faults.add(409, "POST", body=body)
        error = self.temporary(api.TemporaryError)
        self.assertNotIsInstance(error, api.Unreachable)
        self.assertEqual(1.0, error.delay)

    def test_401_is_for_operators_and_temporary(self) -> None:
        # A body like this makes str() of heatclient's own error raise.
        for body in ({"error": "Unauthorized"}, {"error": {"message": "Authentication required"}}, b"no", None):
            self.stacks.vanish(TENANT, NAME)
            self.server.faults.add(401, "GET", times=1, body=body)
            self.assertIn("credentials", self.temporary(api.TemporaryError).message)

    def test_403_is_permanent(self) -> None:
        self.server.faults.add(403, body={"error": {"type": "Forbidden", "message": "not authorized"}})
        with self.assertRaisesRegex(api.PermanentError, "forbids.*not authorized"):
            self.done()

    def test_answers_of_a_wrong_shape(self) -> None:
        for body in ([], {}, {"stack": None}, {"stack": []}, {"stack": {"id": 1}}, {"stack": {"stack_name": NAME}}, 7):
            with self.subTest(body=body):
                self.stacks.vanish(TENANT, NAME)
                self.server.faults.add(200, "GET", body=body)
                self.temporary()

    def test_a_list_in_trouble_leaves_the_stack_alone(self) -> None:
        self.stacks.hold(NAME)
        worker = self.worker()
        worker.apply(heat_base.job(), self.context())
        for kind in (503, "html", "reset", "deep"):
            self.server.faults.add(kind, "GET", STACKS + "$")
            with self.assertRaises(api.Unreachable):
                self.waits(worker, 30)
        self.stacks.release(NAME)
        self.settle(heat_base.job(), self.context(elapsed=1.0), lambda: worker)
        self.assertEqual(["POST"], self.writes())

    def waits(self, worker: object, times: int) -> None:
        for _ in range(times):
            outcome = worker.apply(heat_base.job(), self.context(elapsed=1.0))  # type: ignore[attr-defined]
            threading.Event().wait(outcome.delay)

    def test_no_password_in_any_log(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("tests").debug("at least one line")
            self.server.faults.add("lose", "POST")
            self.settle(heat_base.job(), self.context(), self.worker, forgive=1)
            self.done(api.MODIFY, 2, params={"mtu": 9000})
        self.assertNotIn(PASSWORD, "\n".join(logs.output))


class ManyTest(heat_base.HeatCase):
    """Stacks that wait are asked for together."""

    JOBS = 100

    def setUp(self) -> None:
        super().setUp()
        self.jobs = [heat_base.job(resource_id=f"p{number}") for number in range(self.JOBS)]
        for job in self.jobs:
            self.stacks.hold(f"port_{job.resource_id}")

    def test_one_list_call_for_all(self) -> None:
        worker = self.worker(poll_interval=30.0)
        with futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda job: worker.apply(job, self.context()), self.jobs))
            self.server.forget()
            for _ in range(3):
                outcomes = list(pool.map(lambda job: worker.apply(job, self.context(elapsed=31.0)), self.jobs))
                self.assertTrue(all(isinstance(each, api.Again) and 0 < each.delay <= 30 for each in outcomes))
        self.assertEqual(["GET"], [call.method for call in self.server.calls])
        self.assertEqual(1, self.server.lists)
        self.assertEqual({"status": "IN_PROGRESS"}, self.server.calls[0].query)

    def test_show_only_for_those_that_ended(self) -> None:
        worker = self.worker(poll_interval=0.5)
        for job in self.jobs:
            worker.apply(job, self.context())
        ended = self.jobs[:3]
        for job in ended:
            name = f"port_{job.resource_id}"
            self.stacks.release(name)
            self.assertTrue(self.stacks.wait(TENANT, name, "CREATE_COMPLETE"))
        self.server.forget()
        done: set[str] = set()
        deadline = time.monotonic() + 10
        while len(done) < len(ended) and time.monotonic() < deadline:
            for job in self.jobs:
                if isinstance(worker.apply(job, self.context(elapsed=1.0)), api.Done):
                    done.add(job.id)
        self.assertEqual({job.id for job in ended}, done)
        shown = {call.path.split("/")[4] for call in self.server.calls if call.path != STACKS}
        self.assertEqual({f"port_{job.resource_id}" for job in ended}, shown)
        self.assertLessEqual(self.server.lists, 4)

    def test_a_stack_just_created_is_not_looked_up_before_the_next_list(self) -> None:
        worker = self.worker(poll_interval=30.0)
        self.assertIsInstance(worker.apply(self.jobs[0], self.context(elapsed=31.0)), api.Again)
        self.server.forget()
        self.assertIsInstance(worker.apply(self.jobs[0], self.context(elapsed=61.0)), api.Again)
        self.assertEqual([], self.server.calls)

    def test_a_hanging_list_holds_one_thread(self) -> None:
        worker = self.worker(poll_interval=0.05, timeout=20.0)
        for job in self.jobs[:10]:
            worker.apply(job, self.context())
        worker.apply(self.jobs[0], self.context(elapsed=1.0))
        threading.Event().wait(0.06)
        self.server.faults.add("hang", "GET", STACKS + "$")
        with futures.ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(worker.apply, self.jobs[0], self.context(elapsed=1.0))
            deadline = time.monotonic() + 10
            while self.server.faults.left and time.monotonic() < deadline:
                threading.Event().wait(0.005)
            for job in self.jobs[:10]:
                self.assertIsInstance(worker.apply(job, self.context(elapsed=1.0)), api.Again)
            self.assertFalse(hanging.done())
            self.server.stop()
            with self.assertRaises(api.Unreachable):
                hanging.result(10)


class AuthTest(heat_base.HeatCase):
    """auth_type = password, with Keystone; and a fixed token."""

    def setUp(self) -> None:
        self.keystone = heat.KeystoneServer("unknown yet")
        self.keystone.start()
        self.addCleanup(self.keystone.stop)
        self.server = heat.HeatServer(project_of=self.keystone.project)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.keystone.heat_url = self.server.endpoint
        self.stacks = self.server.stacks
        self.options = {
            "auth_type": "password",
            "auth_url": f"{self.keystone.url}/v3",
            "username": self.keystone.username,
            "password": self.keystone.password,
        }

    def test_one_token_per_project(self) -> None:
        worker = self.worker(**self.options)
        self.settle(heat_base.job(), self.context(), lambda: worker)
        other = dataclasses.replace(self.context(), tenant_id="another")
        self.settle(heat_base.job(), other, lambda: worker)
        self.assertEqual(2, self.keystone.count("POST", "/v3/auth/tokens"))
        self.assertEqual({TENANT, "another"}, {stack.tenant for stack in self.stacks.all()})

    def test_a_token_that_expired_is_renewed(self) -> None:
        worker = self.worker(**self.options)
        self.settle(heat_base.job(), self.context(), lambda: worker)
        self.keystone.expire()
        self.settle(heat_base.job(api.MODIFY, 2), self.context(), lambda: worker)
        self.assertEqual(2, self.keystone.count("POST", "/v3/auth/tokens"))

    def test_a_wrong_password(self) -> None:
        worker = self.worker(**{**self.options, "password": "wrong-canary"})
        with self.assertRaisesRegex(api.TemporaryError, "Keystone refuses") as caught:
            worker.apply(heat_base.job(), self.context())
        self.assertNotIn("canary", f"{caught.exception.message}{caught.exception.detail}")

    def test_keystone_in_trouble(self) -> None:
        for kind in (503, "reset", "html", "hang"):
            with self.subTest(kind=kind):
                worker = self.worker(**self.options, timeout=0.3)
                self.keystone.faults.add(kind)
                with self.assertRaises(api.Unreachable):
                    worker.apply(heat_base.job(), self.context())
                worker.apply(heat_base.job(), self.context())

    def test_a_fixed_token(self) -> None:
        self.worker(**self.options).apply(heat_base.job(), self.context())
        token = next(call.headers["X-Auth-Token"] for call in self.server.calls)
        worker = self.worker(auth_type="token", token=token)
        self.settle(heat_base.job(), self.context(), lambda: worker)
        self.keystone.expire()
        with self.assertRaisesRegex(api.TemporaryError, "credentials"):
            worker.apply(heat_base.job(), self.context())

    def test_a_token_for_another_project(self) -> None:
        self.worker(**self.options).apply(heat_base.job(), self.context())
        token = next(call.headers["X-Auth-Token"] for call in self.server.calls)
        other = dataclasses.replace(self.context(), tenant_id="another")
        with self.assertRaisesRegex(api.PermanentError, "forbids"):
            self.worker(auth_type="token", token=token).apply(heat_base.job(), other)

    def test_a_configuration_that_lacks_something(self) -> None:
        for name in ("auth_url", "username", "password"):
            with self.assertRaisesRegex(api.ConfigError, name):
                self.worker(**{**self.options, name: ""})
        with self.assertRaisesRegex(api.ConfigError, "token"):
            self.worker(auth_type="token")
        with self.assertRaisesRegex(api.ConfigError, "endpoint"):
            self.worker(endpoint="http://127.0.0.1/%(tenant)s")
