# Shapes that modules in the wild are written in.
variable "buckets" {
  type = list(object({
    name       = string
    versioning = optional(bool, true)
    rules = optional(map(object({
      days    = number
      enabled = optional(bool, true)
    })), {})
    owners = optional(list(string))
  }))
  default = [
    { name = "logs", versioning = false, rules = { old = { days = 30 }, older = { days = "90", enabled = false } } },
    { name = "media", owners = ["ann", "bob"] },
    { name = "state" },
  ]
}

variable "defaults" {
  default = {
    size  = "small"
    disks = { root = 10, data = 50 }
    tags  = { managed = "yes" }
  }
}

variable "machines" {
  type    = any
  default = {
    web = { size = "large", tags = { role = "web" } }
    db  = { disks = { data = 500 }, backup = true }
  }
}

variable "subnets" {
  default = ["10.0.1.0/24", "10.0.2.0/24"]
}

variable "extra" {
  type    = map(string)
  default = null
}

locals {
  machines = { for name, machine in var.machines : name => merge(var.defaults, machine) }
  disks = merge([
    for name, machine in local.machines : {
      for disk, size in machine.disks : "${name}-${disk}" => { machine = name, size = size }
    }
  ]...)
  rules = flatten([
    for bucket in var.buckets : [
      for name, rule in bucket.rules : {
        key     = "${bucket.name}.${name}"
        days    = rule.days
        enabled = rule.enabled
      }
    ]
  ])
  owners = { for pair in flatten([for bucket in var.buckets : [for owner in coalesce(bucket.owners, ["nobody"]) : { bucket = bucket.name, owner = owner }]]) : "${pair.bucket}/${pair.owner}" => pair.owner }
  extra  = var.extra != null ? var.extra : {}
  by_size = { for name, machine in local.machines : machine.size => name... }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for bucket in var.buckets : {
      Effect   = bucket.versioning ? "Allow" : "Deny"
      Resource = "arn:aws:s3:::${bucket.name}/*"
    }]
  })
}

resource "terraform_data" "bucket" {
  for_each = { for bucket in var.buckets : bucket.name => bucket }
  input = {
    versioning = each.value.versioning ? "Enabled" : "Suspended"
    owners     = try(join(",", each.value.owners), "none")
    rules      = length(each.value.rules)
  }
}

resource "terraform_data" "rule" {
  for_each = { for rule in local.rules : rule.key => rule if rule.enabled }
  input    = each.value.days
}

resource "terraform_data" "disk" {
  for_each = local.disks
  input    = "${each.value.machine} ${each.value.size}G"
  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "subnet" {
  count = length(var.subnets)
  input = {
    gateway = cidrhost(element(var.subnets, count.index), 1)
    name    = format("net-%s-%03d", count.index % 2 == 0 ? "even" : "odd", count.index + 1)
    backup  = lookup(local.machines["db"], "backup", false) || count.index > 0
  }
  depends_on = [terraform_data.disk]
}

resource "terraform_data" "all" {
  input = {
    owners  = local.owners
    extra   = local.extra
    by_size = local.by_size
    policy  = jsondecode(local.policy).Statement[*].Effect
    sizes   = { for name, machine in local.machines : name => machine.size }
    tags    = local.machines.web.tags
    tagged  = merge(var.defaults.tags, { for key, value in local.machines.web.tags : key => upper(value) })
    names   = sort(distinct(concat([for bucket in var.buckets : bucket.name], ["logs", "extra"])))
    every   = alltrue([for bucket in var.buckets : bucket.versioning])
    some    = anytrue([for bucket in var.buckets : bucket.versioning])
    gateways = [for subnet in terraform_data.subnet : subnet.input.gateway]
    second   = terraform_data.subnet.1.input.name
    thirds   = [10 / 4, 7 % 3, -7 % 3, 1e3, 0.1 + 0.2, 2 * 3.5]
    text     = "%{for index, bucket in var.buckets}${index}=${bucket.name}%{if index < length(var.buckets) - 1}, %{endif}%{endfor}"
    escaped  = "$${literal} %%{literal} \"quoted\" \t\u00e9"
    chunks   = chunklist(["a", "b", "c"], 2)
    found    = regexall("[a-z]+", "ab 12 cd")
    replaced = replace("db-prod-1", "/-(\\w+)-/", ".$1.")
    split    = split("/", "a/b/c")[1]
    matched  = matchkeys(["i-1", "i-2"], ["a", "b"], ["b"])
    nothing  = var.extra
    condition = var.extra == null && length(local.extra) == 0
  }
}
