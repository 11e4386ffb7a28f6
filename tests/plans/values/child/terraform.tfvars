# Terraform does not load this one: the folder is no root.
never_null = "wrong"
