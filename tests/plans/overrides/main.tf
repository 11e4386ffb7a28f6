# Files that override others, and the JSON syntax beside the native one.
variable "size" {
  type    = number
  default = 1
}

locals {
  kept     = "main"
  replaced = "main"
}

resource "terraform_data" "a" {
  count = 1
  input = {
    size = var.size
    from = local.replaced
  }
}

module "m" {
  source = "./m"
  from   = "main"
}

output "kept" {
  value = local.kept
}
