# Modules in modules, called many times with different arguments.
variable "environments" {
  type = map(object({
    size     = optional(number, 2)
    replicas = optional(number)
    tags     = optional(map(string), { team = "core" })
    disks = optional(list(object({
      name  = string
      bytes = optional(number, 1024)
    })), [])
  }))
  default = {
    prod = { size = 8, replicas = 3, disks = [{ name = "data", bytes = 4096 }, { name = "wal" }] }
    dev  = {}
  }
}

locals {
  zones = ["a", "b", "c"]
  sized = { for name, environment in var.environments : name => environment if environment.size > 4 }
}

module "cluster" {
  source      = "./cluster"
  for_each    = var.environments
  name        = each.key
  environment = each.value
  zones       = slice(local.zones, 0, coalesce(each.value.replicas, 1))
}

module "edge" {
  source = "./cluster/node"
  count  = 2
  name   = "edge-${count.index}"
  zone   = local.zones[count.index]
}

module "none" {
  source = "./cluster/node"
  count  = contains(keys(local.sized), "dev") ? 1 : 0
  name   = "never"
  zone   = "a"
}

resource "terraform_data" "summary" {
  input = {
    names    = { for key, cluster in module.cluster : key => cluster.names }
    first    = module.cluster["prod"].names[0]
    edges    = module.edge[*].label
    last     = module.edge[length(module.edge) - 1].label
    flat     = flatten(values(module.cluster)[*].names)
    none     = try(module.none[0].label, "nothing")
    nones    = module.none[*].label
    sized    = keys(local.sized)
    one      = one(module.none[*].label)
    disks    = sum([for cluster in module.cluster : cluster.bytes])
    wal      = [for disk in var.environments.prod.disks : disk.bytes if disk.name == "wal"][0]
    missing  = var.environments["dev"].replicas
    tags     = merge(values(module.cluster)[*].tags...)
  }
}
