variable "name" {
  type = string
}

variable "environment" {}

variable "zones" {
  type = list(string)
}

module "node" {
  source   = "./node"
  for_each = toset(var.zones)
  name     = "${var.name}-${each.key}"
  zone     = each.value
}

resource "terraform_data" "disk" {
  for_each = { for disk in var.environment.disks : disk.name => disk }
  input    = "${var.name}/${each.key}:${each.value.bytes}"
}

output "names" {
  value = sort([for node in module.node : node.label])
}

output "bytes" {
  value = length(var.environment.disks) == 0 ? 0 : sum(var.environment.disks[*].bytes)
}

output "tags" {
  value = merge(var.environment.tags, { (var.name) = tostring(var.environment.size) })
}
