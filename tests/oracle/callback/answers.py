"""Writes what every task did on every host as one line of JSON, into the file that $STATEWARD_ANSWERS names."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: answers
type: stdout
short_description: what every task did on every host
"""

DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
FAIL = ("fail", "ansible.builtin.fail", "ansible.legacy.fail")


def plain(value):
    """The value as JSON knows it."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


def answer(state, result):
    """One run: the arguments that the task ended with, or why it has none."""
    fields = result.task_fields
    if state == "failed" and fields.get("action") not in FAIL:
        return {"failed": True}
    if state == "skipped":
        given = result.result
        if "false_condition" in given:
            return {"skipped": str(given["false_condition"])}
        return {"skipped": True, "reason": str(given.get("skipped_reason") or given.get("skip_reason") or "")}
    if fields.get("action") in DEBUG:
        return {"arguments": plain(fields.get("args") or {})}
    return {"ran": True}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "answers"

    def __init__(self):
        super().__init__()
        self.items = {}
        self.out = open(os.environ["STATEWARD_ANSWERS"], "a", encoding="utf-8")

    def item(self, state, result):
        key = result.host.get_name(), result.task._uuid
        self.items.setdefault(key, []).append(answer(state, result))

    def whole(self, state, result):
        if result.task.implicit or not result.task.name:
            return
        items = self.items.pop((result.host.get_name(), result.task._uuid), None)
        said = {"items": items} if items is not None else answer(state, result)
        line = {"task": str(result.task.name), "host": result.host.get_name(), "answer": said}
        if state == "failed":
            line["message"] = str(result.result.get("msg"))
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()

    def v2_runner_item_on_ok(self, result):
        self.item("ran", result)

    def v2_runner_item_on_skipped(self, result):
        self.item("skipped", result)

    def v2_runner_item_on_failed(self, result):
        self.item("failed", result)

    def v2_runner_on_ok(self, result):
        self.whole("ran", result)

    def v2_runner_on_skipped(self, result):
        self.whole("skipped", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.whole("failed", result)

    def v2_playbook_on_stats(self, stats):
        self.out.write(json.dumps({"hosts": sorted(stats.processed)}) + "\n")
        self.out.close()
