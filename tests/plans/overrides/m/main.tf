variable "from" {}
resource "terraform_data" "x" {
  input = var.from
}
