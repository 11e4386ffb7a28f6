//! INI as Ansible reads it: `ansible.cfg` and inventories.
