#!/bin/sh
set -eu
ansible-playbook -i inventory/hosts.ini site.yml -e limit_extra_vars=extra_vars
