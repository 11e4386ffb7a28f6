"""What `ansible-playbook --list-hosts --list-tasks` prints for every playbook of a folder, as JSON.

    python ansible_tasks.py FOLDER OUT.json

Ansible works on a copy in which every file but YAML, JSON, INI and templates is empty, so that no plugin or module of the
folder runs. Roles and modules that the folder does not hold are replaced by empty ones; collections of the folder count as installed.
Playbooks that share an `ansible.cfg` (the nearest one above) are asked by one process that forks for each of them. Where
there is none, every folder `roles` is on the path, the nearest first: somebody sets it elsewhere.
"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

KEPT = {".yml", ".yaml", ".json", ".ini", ".j2", ".jinja2", ".jinja", ".txt", ""}
PLAYBOOK = re.compile(r"^\s*(- +)?[\"']?(hosts|(ansible\.builtin\.|ansible\.legacy\.)?import_playbook)[\"']?:", re.M)


def copy(source, target):
    """A copy of the folder with only what Ansible reads as data; links that lead out of it are left out."""
    root = os.path.realpath(source)
    for folder, names, files in os.walk(source):
        names[:] = [name for name in names if name not in (".git", ".terraform", "node_modules")]
        here = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(here, exist_ok=True)
        for name in names + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                real = os.path.realpath(path)
                if real == root or real.startswith(root + os.sep):
                    os.symlink(os.readlink(path), os.path.join(here, name))
            elif name in files:
                small = os.path.getsize(path) < 4 << 20
                with open(path, "rb") as file, open(os.path.join(here, name), "wb") as out:
                    if small and os.path.splitext(name)[1] in KEPT or name == "ansible.cfg":
                        data = file.read()
                        out.write(b"" if data.startswith(b"#!") else data)


def playbooks(root):
    """The files whose first document is a list with a play or an import of a playbook."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = []
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not name.endswith((".yml", ".yaml")) or os.path.islink(path):
                continue
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if not PLAYBOOK.search(text):
                continue
            try:
                node = yaml.compose(text, loader)
            except yaml.YAMLError:
                continue
            if not isinstance(node, yaml.SequenceNode):
                continue
            keys = {key.value for item in node.value if isinstance(item, yaml.MappingNode) for key, _ in item.value}
            if keys & {"hosts", "import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"}:
                found.append(os.path.relpath(path, root))
    return found


def settings(root, path):
    """The nearest ansible.cfg above a playbook; without one, its folder."""
    above = folder = os.path.dirname(path)
    while True:
        name = os.path.join(above, "ansible.cfg")
        if os.path.isfile(os.path.join(root, name)):
            return name
        if not above:
            return folder
        above = os.path.dirname(above)


def guessed(root, folder, path):
    """An ansible.cfg with every folder `roles`, the nearest to a folder first."""
    found = [os.path.relpath(here, root) for here, _, _ in os.walk(root) if os.path.basename(here) == "roles"]

    def distance(roles):
        shared = 0
        for a, b in zip(roles.split("/"), folder.split("/")):
            if a != b:
                break
            shared += 1
        return -shared, len(roles), roles

    found.sort(key=distance)
    with open(path, "w", encoding="utf-8") as out:
        out.write("[defaults]\nroles_path = %s\n" % ":".join(os.path.join(root, roles) for roles in found))


def install(root, stubs):
    """Lets the collections of the folder count as installed; the folders to add to their path."""
    paths = []
    for folder, names, files in os.walk(root):
        names.sort()
        name = None
        if "ansible_collections" in names:
            paths.append(folder)
        if "galaxy.yml" in files and "/ansible_collections/" not in folder:
            with open(os.path.join(folder, "galaxy.yml"), encoding="utf-8") as file:
                text = file.read()
            found = [re.search(rf"^{key}: *[\"']?(\w+)", text, re.M) for key in ("namespace", "name")]
            name = os.path.join(*(match.group(1) for match in found)) if all(found) else None
        target = name and os.path.join(stubs, "collections/ansible_collections", name)
        if target and not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(folder, target)
    return paths


def write_settings(path, stubs, installed):
    """Puts paths alone from an ansible.cfg into one that runs nothing."""
    old = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True, inline_comment_prefixes=(";",))
    try:
        old.read(path)
    except (configparser.Error, UnicodeDecodeError):
        old = configparser.ConfigParser()
    get = lambda key: (old.get("defaults", key, fallback="") or "").strip().strip("\"'")
    roles = ":".join(part for part in (get("roles_path"), f"{stubs}/roles") if part)
    given = get("collections_path") or get("collections_paths")
    collections = ":".join(part for part in (given, *installed, f"{stubs}/collections") if part)
    library = ":".join(part for part in (get("library"), f"{stubs}/library") if part)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"[defaults]\nroles_path = {roles}\ncollections_path = {collections}\nlibrary = {library}\n")
        out.write("retry_files_enabled = false\ndeprecation_warnings = false\n")
        out.write("[inventory]\nenable_plugins = ini, yaml, host_list\n")


def listing(text):
    """The printed listing as data."""
    plays = []
    for part in re.split(r"\n\n  play #\d+ ", "\n" + text)[1:]:
        head, _, rest = part.partition("\n    pattern: ")
        match = re.match(r"\((.*?)\): (.*)\tTAGS: \[(.*)\]$", head, re.S)
        tasks = rest.partition("\n    tasks:\n")[2] + "\n"
        entries = re.findall(r"      (.*?)\tTAGS: \[(.*?)\]\n", tasks, re.S)
        plays.append({
            "hosts": match.group(1),
            "name": match.group(2),
            "tasks": [{"name": name, "tags": sorted(filter(None, tags.split(", ")))} for name, tags in entries],
        })
    return plays


def stub(message, stubs):
    """Makes what a message calls missing; whether there was something to make."""
    message = " ".join(message.split())
    role = re.search(r"the role '([^']+)' was not found", message)
    if role and not role.group(1).startswith(("/", ".")):
        folder = os.path.join(stubs, "roles", role.group(1))
        if not os.path.isdir(folder):
            os.makedirs(folder)
            return True
    module = re.search(r"couldn't resolve module/action '([\w.]+)'", message)
    # What Ansible has removed is no module that somebody else provides.
    if module and module.group(1) not in ("include", "ansible.builtin.include"):
        parts = module.group(1).split(".")
        if len(parts) == 3:
            folder = os.path.join(stubs, "collections/ansible_collections", parts[0], parts[1], "plugins/modules")
        else:
            folder = os.path.join(stubs, "library")
        path = os.path.join(folder, parts[-1] + ".py")
        if len(parts) in (1, 3) and not os.path.exists(path):
            os.makedirs(folder, exist_ok=True)
            open(path, "w").close()
            return True
    return False


def ask(playbook):
    """One playbook, in a process of its own."""
    out, err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    child = os.fork()
    if child == 0:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        status = 1
        try:
            from ansible.cli.playbook import PlaybookCLI

            PlaybookCLI.cli_executor(["ansible-playbook", "-i", "localhost,", "--list-hosts", "--list-tasks", playbook])
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    texts = []
    for file in (out, err):
        file.seek(0)
        texts.append(file.read())
    return status, *texts


def group(root, stubs):
    """The playbooks of one ansible.cfg; their paths come on stdin."""
    results = {}
    for path in json.load(sys.stdin):
        for _ in range(40):
            status, out, err = ask(os.path.join(root, path))
            if status == 0 or not stub(err, stubs):
                break
        results[path] = {"plays": listing(out)} if status == 0 else {"error": " ".join(err.split())[:400]}
    json.dump(results, sys.stdout)


def main():
    source, target = sys.argv[1:3]
    temporary = os.path.realpath(tempfile.mkdtemp(prefix="stateward-ansible-"))
    try:
        root, stubs = os.path.join(temporary, "copy"), os.path.join(temporary, "stubs")
        copy(source, root)
        os.makedirs(os.path.join(stubs, "roles"))
        os.makedirs(os.path.join(temporary, "home"))
        groups = {}
        for path in playbooks(root):
            groups.setdefault(settings(root, path), []).append(path)
        results = {}
        for number, (setting, paths) in enumerate(sorted(groups.items())):
            mine = os.path.join(stubs, str(number))
            os.makedirs(os.path.join(mine, "roles"))
            installed = install(root, mine)
            config = os.path.join(root, setting)
            if os.path.basename(setting) != "ansible.cfg":
                config = os.path.join(mine, "ansible.cfg")
                guessed(root, setting, config)
            write_settings(config, mine, installed)
            environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
            environment |= {
                "ANSIBLE_CONFIG": config,
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_NOCOLOR": "true",
                "HOME": os.path.join(temporary, "home"),
            }
            command = [sys.executable, os.path.abspath(__file__), "--group", root, mine]
            done = subprocess.run(command, cwd=os.path.dirname(config), env=environment, input=json.dumps(paths),
                                  stdout=subprocess.PIPE, text=True, check=True)
            results |= json.loads(done.stdout)
        with open(target, "w", encoding="utf-8") as out:
            json.dump(results, out, indent=1, sort_keys=True, ensure_ascii=False)
            out.write("\n")
    finally:
        shutil.rmtree(temporary)


if __name__ == "__main__":
    if sys.argv[1] == "--group":
        # Loaded once, before the forks.
        import ansible.cli.playbook  # noqa: F401
        import ansible.executor.playbook_executor  # noqa: F401

        group(*sys.argv[2:4])
    else:
        main()
