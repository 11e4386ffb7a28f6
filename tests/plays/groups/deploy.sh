#!/bin/sh
set -eu
ansible-playbook -i inventory.yml -i edge.ini site.yml
