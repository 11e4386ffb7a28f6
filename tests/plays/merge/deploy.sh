#!/bin/sh
set -eu
ansible-playbook site.yml -e '{"settings": {"extra": {"from": "command"}}}'
