variable "size" {
  default = "5"
}

locals {
  replaced = "override"
}

resource "terraform_data" "a" {
  count = 2
}

module "m" {
  from = "override of ${local.kept}"
}
