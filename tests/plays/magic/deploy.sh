#!/bin/sh
set -eu
ansible-playbook -i inventory/hosts.yml site.yml
