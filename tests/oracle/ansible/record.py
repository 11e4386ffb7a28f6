"""Templates expressions with Ansible's own Templar.

Reads {"folder": ..., "variables": file, "cases": [{"text": ..., "condition": ...}]} as JSON from standard input and writes a JSON list: what each
case comes to, or {"@refused": message}.
"""

import json
import re
import os
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

try:
    from ansible.template import trust_as_template
except ImportError:  # before ansible-core 2.19 every text is a template

    def trust_as_template(text):
        return text


def plain(value):
    """The value as JSON knows it; what JSON has no form for is refused."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return {"@float": repr(float(value))}
    if isinstance(value, str):
        return str(value)
    raise TypeError("no JSON for " + type(value).__name__)


def main():
    request = json.load(sys.stdin)
    os.chdir(request["folder"])
    loader = DataLoader()
    loader.set_basedir(request["folder"])
    try:
        variables = loader.load_from_file(request["variables"], trusted_as_template=True)
    except TypeError:  # before ansible-core 2.19
        variables = loader.load_from_file(request["variables"])
    # A run gives all variables under this name too.
    variables["vars"] = dict(variables)
    templar = Templar(loader=loader, variables=variables)
    init_plugin_loader()
    answers = []
    for case in request["cases"]:
        try:
            text = trust_as_template(case["text"])
            evaluate = templar.evaluate_conditional if case["condition"] else templar.template
            answers.append(plain(evaluate(text)))
        except Exception as error:  # whatever Ansible raises is a refusal
            # Where the file lies on this machine is nobody's business.
            message = re.sub(r" at '/[^']*'", "", str(error).split("\n")[0])[:200]
            answers.append({"@refused": type(error).__name__ + ": " + message})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
