#!/bin/sh
set -eu
ansible-playbook -i inventories/staging/hosts.yml playbooks/app.yml -e @playbooks/release.yml
ansible-playbook -i inventories/production/hosts.yml playbooks/app.yml -e release=1.4.2 -e '{"canary": false, "flags": ["a", "b"]}'
