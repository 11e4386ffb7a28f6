# What expressions read from files of the repository.
locals {
  hosts  = yamldecode(file("${path.module}/data/hosts.yaml"))
  users  = jsondecode(file("${path.module}/data/users.json"))
  rows   = csvdecode(file("${path.module}/data/rows.csv"))
  pieces = fileset(path.module, "data/parts/*.txt")
  config = templatefile("${path.module}/data/app.tftpl", {
    name  = "app"
    ports = [80, 443]
    debug = false
  })
  merged = { for part in local.pieces : trimsuffix(basename(part), ".txt") => trimspace(file("${path.module}/${part}")) }
}

resource "terraform_data" "host" {
  for_each = local.hosts.machines
  input = {
    name = each.key
    ip   = each.value.ip
    size = try(each.value.size, local.hosts.defaults.size)
    tags = concat(local.hosts.defaults.tags, try(each.value.tags, []))
  }
}

resource "terraform_data" "user" {
  for_each = { for user in local.users : user.name => user if can(user.admin) }
  input    = "${each.key}=${each.value.admin}"
}

resource "terraform_data" "all" {
  input = {
    rows   = [for row in local.rows : "${row.id}:${row.value}"]
    pieces = local.pieces
    merged = local.merged
    config = local.config
    there  = fileexists("${path.module}/data/app.tftpl")
    child  = module.child.text
  }
}

module "child" {
  source = "./child"
}
