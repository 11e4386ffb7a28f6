variable "name" {}

resource "terraform_data" "inner" {
  count = 2
  input = "${var.name}/${count.index}"
}

output "name" {
  value = var.name
}
