#!/bin/sh
set -eu
ansible-playbook -i inventory.yml site.yml
