"""heat_worker through python-heatclient, over a socket, against the stand-in for Heat."""

from __future__ import annotations

import json
import re

from esi_worker import api
from esi_worker.testing import heat
from tests.functional import heat_base
from tests.functional.heat_base import NAME
from tests.functional.heat_base import OUTPUTS
from tests.functional.heat_base import PASSWORD
from tests.functional.heat_base import STACKS
from tests.functional.heat_base import TENANT


class LifeTest(heat_base.HeatCase):
    """create, modify, logical_delete."""

    def test_create_gives_the_outputs_and_the_record(self) -> None:
        done = self.done()
        self.assertEqual({"heat_outputs": OUTPUTS}, done.result)
        record = {
            "id": "port:p1",
            "stack_id": NAME,
            "stack_status": "CREATE_COMPLETE",
            "status_reason": "Stack CREATE completed successfully",
            "tenant_id": TENANT,
            "output": OUTPUTS,
        }
        self.assertEqual(record, done.record)
        self.assertEqual(["POST"], self.writes())

    def test_what_heat_is_sent(self) -> None:
        params = {"mtu": None, "heat_timeout": "60", "jinja_vlan": 7, "jinja_nothing": None}
        context = self.context(params=params)
        worker = self.worker()
        self.settle(heat_base.job(), context, lambda: worker)
        (create,) = [call.body for call in self.server.calls if call.method == "POST"]
        self.assertRegex(create.pop("tags"), r"\Aesi-worker-1-[0-9a-f]{12}-[0-9a-f]{32}\Z")
        self.assertEqual(heat_base.TEMPLATE, json.loads(create.pop("template")))
        expected = {
            "stack_name": NAME,
            "parameters": {"name": "one", "device_password": PASSWORD},
            "timeout_mins": 60,
            "disable_rollback": True,
        }
        self.assertEqual(expected, create)
        self.assertEqual({"jinja_vlan": 7, "jinja_nothing": None}, context.rendered[0])

    def test_timeout_is_ten_minutes_unless_told(self) -> None:
        self.done()
        self.assertEqual(10, self.stack().timeout_mins)

    def test_a_timeout_that_is_none(self) -> None:
        for value in ("soon", 0, -1, True, [1]):
            with self.assertRaisesRegex(api.PermanentError, "heat_timeout"):
                self.done(params={"heat_timeout": value})
        self.assertEqual([], self.writes())

    def test_applying_twice_changes_nothing(self) -> None:
        first = self.done()
        self.assertEqual(first, self.done())
        self.assertEqual(["POST"], self.writes())

    def test_create_of_what_is_there_but_differs_updates_it(self) -> None:
        self.done()
        done = self.done(params={"name": "two"})
        self.assertEqual("UPDATE_COMPLETE", self.stack().stack_status)
        self.assertEqual("two", done.result["heat_outputs"][0]["output_value"])

    def test_a_changed_hidden_parameter_is_a_change(self) -> None:
        self.done()
        self.done(params={"device_password": "another-one"})
        self.assertEqual(["POST", "PUT"], self.writes())
        self.assertEqual("another-one", self.stack().parameters["device_password"])

    def test_create_of_a_stack_without_mark_updates_it(self) -> None:
        self.stacks.put(heat.Stack(TENANT, NAME))
        self.done()
        self.assertEqual(["PUT"], self.writes())

    def test_modify(self) -> None:
        self.done()
        done = self.done(api.MODIFY, 2, params={"name": "two", "mtu": 9000})
        assert isinstance(done.record, dict)
        self.assertEqual("UPDATE_COMPLETE", done.record["stack_status"])
        put = self.server.calls[[call.method for call in self.server.calls].index("PUT")]
        self.assertEqual({"name": "two", "mtu": 9000, "device_password": PASSWORD}, put.body["parameters"])
        self.assertEqual(heat_base.TEMPLATE, json.loads(put.body["template"]))
        self.done(api.MODIFY, 2, params={"name": "two", "mtu": 9000})
        self.assertEqual(["POST", "PUT"], self.writes())

    def test_modify_to_a_new_version_updates_even_where_nothing_differs(self) -> None:
        self.done()
        self.done(api.MODIFY, 2)
        self.assertEqual(["POST", "PUT"], self.writes())

    def test_modify_of_what_is_absent_creates_it(self) -> None:
        self.done(api.MODIFY, 2)
        self.assertEqual("CREATE_COMPLETE", self.stack().stack_status)

    def test_remove(self) -> None:
        self.done()
        done = self.done(api.LOGICAL_DELETE, 2)
        self.assertEqual({}, done.result)
        record = {
            "id": "port:p1",
            "stack_id": "",
            "stack_status": "DELETE_COMPLETE",
            "status_reason": "",
            "tenant_id": TENANT,
            "output": [],
        }
        self.assertEqual(record, done.record)
        self.assertIsNone(self.stacks.get(TENANT, NAME))

    def test_remove_of_nothing_is_done(self) -> None:
        self.done(api.LOGICAL_DELETE)
        self.assertEqual([], self.writes())

    def test_remove_of_a_stack_in_creation_does_not_wait_for_it(self) -> None:
        self.stacks.hold(NAME)
        worker = self.worker()
        self.assertIsInstance(worker.apply(heat_base.job(), self.context()), api.Again)
        worker.remove(heat_base.job(api.LOGICAL_DELETE, 2), self.context())
        self.assertEqual("DELETE_IN_PROGRESS", self.stack().stack_status)
        self.stacks.release(NAME)
        self.done(api.LOGICAL_DELETE, 2)
        self.assertIsNone(self.stacks.get(TENANT, NAME))

    def test_a_stack_of_another_project_is_not_touched(self) -> None:
        other = self.stacks.put(heat.Stack("other", NAME))
        self.done()
        self.done(api.LOGICAL_DELETE, 2)
        self.assertIs(other, self.stacks.get("other", NAME))
        self.assertFalse([call for call in self.server.calls if not call.path.startswith(f"/v1/{TENANT}/")])

    def test_a_heat_that_gives_a_stack_of_another_project(self) -> None:
        shown = {"id": "1", "stack_name": NAME, "stack_status": "CREATE_COMPLETE", "project": "other"}
        older = {**shown, "project": None, "links": [{"rel": "self", "href": f"http://h/v1/other/stacks/{NAME}/1"}]}
        for body in (shown, older):
            for action in (api.CREATE, api.LOGICAL_DELETE):
                self.server.faults.add(200, "GET", body={"stack": body})
                with self.assertRaisesRegex(api.PermanentError, "another project"):
                    self.done(action)
        self.assertEqual([], self.writes())

    def test_a_resource_without_project(self) -> None:
        for tenant in ("", "..", "a/b", "a?b"):
            context = self.context()
            context.tenant_id = tenant
            with self.assertRaisesRegex(api.PermanentError, "tenant_id"):
                self.worker().apply(heat_base.job(), context)
        self.assertEqual([], self.server.calls)

    def test_a_template_that_is_no_object(self) -> None:
        context = self.context()
        context.document = ["no", "object"]
        with self.assertRaisesRegex(api.PermanentError, "template"):
            self.worker().apply(heat_base.job(), context)


class RestartTest(heat_base.HeatCase):
    """A process that ends between any two calls, and another one that goes on."""

    def test_a_new_handler_for_every_call(self) -> None:
        for action, version in ((api.CREATE, 1), (api.MODIFY, 2), (api.LOGICAL_DELETE, 3)):
            self.stacks.delay = 0.05
            self.settle(heat_base.job(action, version), self.context(), self.worker)
        self.assertEqual(["POST", "PUT", "DELETE"], self.writes())

    def test_our_own_create_in_progress_is_waited_for(self) -> None:
        self.stacks.hold(NAME)
        for _ in range(3):
            self.assertIsInstance(self.worker().apply(heat_base.job(), self.context()), api.Again)
        self.stacks.release(NAME)
        self.assertTrue(self.stacks.wait(TENANT, NAME, "CREATE_COMPLETE"))
        self.assertIsInstance(self.worker().apply(heat_base.job(), self.context()), api.Done)
        self.assertEqual(["POST"], self.writes())

    def test_an_older_version_in_progress_is_waited_for_then_updated(self) -> None:
        self.stacks.hold(NAME)
        self.worker().apply(heat_base.job(), self.context())
        newer, context = heat_base.job(api.MODIFY, 2), self.context(params={"name": "two"})
        self.assertIsInstance(self.worker().apply(newer, context), api.Again)
        self.assertEqual(["POST"], self.writes())
        self.stacks.release(NAME)
        self.settle(newer, context, self.worker)
        self.assertEqual(["POST", "PUT"], self.writes())
        self.assertEqual("two", self.stack().parameters["name"])

    def test_a_stack_deleted_behind_our_back_is_made_again(self) -> None:
        self.stacks.hold(NAME)
        worker = self.worker()
        worker.apply(heat_base.job(), self.context())
        self.stacks.vanish(TENANT, NAME)
        self.stacks.release(NAME)
        self.settle(heat_base.job(), self.context(), lambda: worker)
        self.assertEqual(["POST", "POST"], self.writes())


class FailureTest(heat_base.HeatCase):
    """Stacks that end in *_FAILED."""

    def failing(self, action: str, version: int = 1, reason: str = "no such device", **fields: object) -> str:
        with self.assertRaises(api.PermanentError) as caught:
            self.settle(heat_base.job(action, version), self.context(**fields), self.worker)
        self.assertIn(reason, caught.exception.message)
        return caught.exception.message

    def test_create_fails_with_heats_reason(self) -> None:
        self.stacks.fail(NAME, "no such device")
        self.failing(api.CREATE)
        self.failing(api.CREATE)
        self.assertEqual(["POST"], self.writes(), "another process must not do it again")

    def test_a_stack_that_failed_before_is_deleted_and_made_again(self) -> None:
        self.stacks.fail(NAME, "no such device")
        self.failing(api.CREATE)
        self.done(version=2)
        self.assertEqual(["POST", "DELETE", "POST"], self.writes())

    def test_the_same_version_planned_anew_is_tried_anew(self) -> None:
        self.stacks.fail(NAME, "no such device")
        self.failing(api.CREATE)
        self.settle(heat_base.job(suffix="other"), self.context(), self.worker)
        self.assertEqual(["POST", "DELETE", "POST"], self.writes())

    def test_modify_fails_with_heats_reason(self) -> None:
        self.done()
        self.stacks.fail(NAME, "no such device", "UPDATE")
        self.failing(api.MODIFY, 2)
        self.assertEqual("UPDATE_FAILED", self.stack().stack_status)

    def test_a_modify_updates_what_failed_before(self) -> None:
        self.stacks.fail(NAME, "no such device")
        self.failing(api.CREATE)
        self.settle(heat_base.job(api.MODIFY, 2), self.context(), self.worker, forgive=1)
        self.assertEqual(["POST", "PUT"], self.writes())
        self.assertEqual("UPDATE_COMPLETE", self.stack().stack_status)

    def test_a_delete_that_failed_before_is_tried_again(self) -> None:
        self.stacks.put(heat.Stack(TENANT, NAME, action="DELETE", status="FAILED", reason="in use"))
        self.settle(heat_base.job(api.LOGICAL_DELETE), self.context(), self.worker, forgive=1)
        self.assertEqual(["DELETE"], self.writes())

    def test_a_delete_that_keeps_failing_fails_the_job(self) -> None:
        self.done()
        self.stacks.fail(NAME, "in use", "DELETE", times=9)
        with self.assertRaisesRegex(api.PermanentError, "in use"):
            self.settle(heat_base.job(api.LOGICAL_DELETE, 2), self.context(), self.worker, forgive=9)
        self.assertEqual(3, self.writes().count("DELETE"))

    def test_a_create_that_cannot_delete_what_failed(self) -> None:
        self.stacks.put(heat.Stack(TENANT, NAME, status="FAILED"))
        self.stacks.fail(NAME, "in use", "DELETE", times=9)
        with self.assertRaisesRegex(api.PermanentError, "in use"):
            self.settle(heat_base.job(), self.context(), self.worker, forgive=9)

    def test_no_secret_in_reason_or_record(self) -> None:
        self.stacks.fail(NAME, f"login with {PASSWORD} failed")
        self.assertNotIn(PASSWORD, self.failing(api.CREATE, reason="login with *** failed"))
        self.done(version=2)
        self.stack().reason = f"used {PASSWORD}"
        done = self.done(version=2)
        self.assertNotIn(PASSWORD, json.dumps(done.record))

    def test_a_secret_that_only_the_context_knows(self) -> None:
        self.stacks.fail(NAME, "one is not welcome")
        message = self.failing(api.CREATE, reason="*** is not welcome", secrets=frozenset({"one"}))
        self.assertIsNone(re.search(r"\bone\b", message))

    def test_a_template_that_heat_refuses(self) -> None:
        with self.assertRaisesRegex(api.PermanentError, r"The Parameter \(extra\) was not defined"):
            self.done(params={"extra": 1})

    def test_a_refusal_that_quotes_a_password(self) -> None:
        body = {"error": {"type": "X", "message": f"Parameter 'device_password' is invalid: {PASSWORD}"}}
        self.server.faults.add(400, "POST", STACKS, body=body)
        with self.assertRaisesRegex(api.PermanentError, r"is invalid: \*\*\*") as caught:
            self.done()
        self.assertNotIn(PASSWORD, f"{caught.exception.message}{caught.exception.detail}")

    def test_waiting_for_heat_ends(self) -> None:
        self.stacks.hold(NAME)
        worker = self.worker()
        worker.apply(heat_base.job(), self.context())
        with self.assertRaisesRegex(api.PermanentError, "CREATE_IN_PROGRESS"):
            worker.apply(heat_base.job(), self.context(elapsed=3600.0))
        self.assertIsInstance(worker.apply(heat_base.job(), self.context(elapsed=1200.0)), api.Again)
