"""What `ansible-playbook` does with every named task on every host of a project, as JSON.

    python ansible_plays.py FOLDER OUT.json

Runs the `ansible-playbook` lines of the folder's `deploy.sh`, in order, on a copy of it, with the project's own `ansible.cfg`. No
inventory plugin but those for files is on, and every host is this machine. Of each run there are its `hosts` and `tasks`: by name and
host a list, one member for each time that the task ran: `arguments` of a `debug`, `ran` of another module, `items` of a loop, or what it was
skipped by. The copy's folder is written as `{project}`, as the other side does.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def commands(folder):
    """The arguments of each `ansible-playbook` line."""
    with open(os.path.join(folder, "deploy.sh"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [line[1:] for line in lines if line[:1] == ["ansible-playbook"]]


def run(root, arguments, out):
    """One run; it must reach its end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {
        "ANSIBLE_CALLBACK_PLUGINS": os.path.join(HERE, "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "answers",
        "ANSIBLE_INVENTORY_ENABLED": "ini,yaml,host_list",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_LOCAL_TEMP": os.path.join(os.path.dirname(root), "temporary"),
        "HOME": os.path.join(os.path.dirname(root), "home"),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "STATEWARD_ANSWERS": out,
    }
    # A project without settings must not get those of this machine.
    for config in (os.path.join(root, "ansible.cfg"), os.path.join(os.path.dirname(root), "empty.cfg")):
        if os.path.exists(config):
            environment.setdefault("ANSIBLE_CONFIG", config)
    program = [sys.executable, "-m", "ansible", "playbook"]
    done = subprocess.run(program + arguments, cwd=root, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        failed = ""
        if os.path.exists(out):
            with open(out, encoding="utf-8") as file:
                failed = "".join(line for line in file if '"failed"' in line)
        raise SystemExit(f"{root}: {arguments}: {done.returncode}\n{done.stdout}{done.stderr}{failed}")
    if os.environ.get("STATEWARD_SHOW"):
        sys.stderr.write(done.stderr)


def hidden(value, root):
    """The value with the copy's folder named as the other side names it."""
    if isinstance(value, dict):
        return {key: hidden(member, root) for key, member in value.items()}
    if isinstance(value, list):
        return [hidden(member, root) for member in value]
    return value.replace(root, "{project}") if isinstance(value, str) else value


def main():
    folder, target = sys.argv[1:3]
    temporary = os.path.realpath(tempfile.mkdtemp(prefix="stateward-plays-"))
    try:
        root, out = os.path.join(temporary, "project"), os.path.join(temporary, "answers")
        shutil.copytree(folder, root)
        os.makedirs(os.path.join(temporary, "home"))
        open(os.path.join(temporary, "empty.cfg"), "w", encoding="utf-8").close()
        runs = []
        for arguments in commands(root):
            run(root, arguments, out)
            with open(out, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            os.remove(out)
            hosts, tasks = lines.pop()["hosts"], {}
            if any(set(hosts) & set(other["hosts"]) for other in runs):
                raise SystemExit(f"{folder}: two runs share hosts: {hosts}")
            for line in lines:
                answers = tasks.setdefault(line["task"], {}).setdefault(line["host"], [])
                answers.append(hidden(line["answer"], root))
            runs.append({"hosts": hosts, "tasks": tasks})
        with open(target, "w", encoding="utf-8") as file:
            json.dump(runs, file, indent=1, sort_keys=True, ensure_ascii=False)
            file.write("\n")
    finally:
        shutil.rmtree(temporary)


if __name__ == "__main__":
    main()
