by_file = "from terraform.tfvars"
by_auto = "from terraform.tfvars"
