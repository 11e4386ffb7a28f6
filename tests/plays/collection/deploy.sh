#!/bin/sh
set -eu
ansible-playbook -i hosts.yml site.yml
