variable "name" {}
variable "zone" {}

resource "terraform_data" "this" {
  count = var.zone == "c" ? 2 : 1
  input = {
    name = format("%s#%02d", var.name, count.index + 1)
    zone = upper(var.zone)
    path = path.module
    root = path.root
  }
}

output "label" {
  value = "${terraform_data.this[0].input.name}@${var.zone}"
}
