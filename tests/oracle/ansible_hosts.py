"""The hosts that each play of a playbook means, in Ansible's order, as JSON on stdout.

    python ansible_hosts.py INVENTORY PLAYBOOK

A play whose pattern Ansible refuses has none.
"""

import json
import sys

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

init_plugin_loader()
loader = DataLoader()
inventory = InventoryManager(loader=loader, sources=[sys.argv[1]])
variables = VariableManager(loader=loader, inventory=inventory)
plays = []
for play in Playbook.load(sys.argv[2], variable_manager=variables, loader=loader).get_plays():
    play.post_validate(Templar(loader=loader))
    try:
        plays.append([host.name for host in inventory.get_hosts(play.hosts)])
    except AnsibleError:
        plays.append([])
json.dump(plays, sys.stdout, indent=1)
print()
