by_auto = "from a.auto.tfvars"
