#!/bin/sh
set -eu
ansible-playbook --check --limit 'web:!w3' --tags deploy,check site.yml
ansible-playbook -i 'solo1,solo2,' -c local --skip-tags slow solo.yml -e @vars/solo.json -e size=9
