#!/bin/sh
set -eu
ansible-playbook -i inventory/hosts site.yml
ansible-playbook -i inventory/lab plays/lab.yml
