# Expressions that decide what exists.
variable "create" {
  default = true
}
variable "names" {
  default = ["one", "two", "three"]
}
variable "rules" {
  default = {
    ssh   = { port = 22, open = true }
    http  = { port = 80, open = false }
    https = { port = 443, open = true }
  }
}

locals {
  pairs  = setproduct(["a", "b"], [1, 2])
  nested = { for name in var.names : name => { length = length(name), upper = upper(name) } }
  text   = <<-EOT
    %{for name, rule in var.rules~}
    ${name}: ${rule.port}%{if rule.open} open%{endif}
    %{endfor~}
  EOT
}

resource "terraform_data" "switched" {
  count = var.create ? length(var.names) : 0
  input = "${var.names[count.index]}-${count.index}"
}

resource "terraform_data" "filtered" {
  for_each = { for name, rule in var.rules : name => rule.port if rule.open }
  input    = each.value
}

resource "terraform_data" "pairs" {
  for_each = { for pair in local.pairs : "${pair[0]}-${pair[1]}" => pair }
  input    = each.value
}

resource "terraform_data" "grouped" {
  for_each = { for name in var.names : substr(name, 0, 1) => name... }
  input    = join("+", each.value)
}

resource "terraform_data" "chained" {
  for_each = terraform_data.filtered
  input    = "${each.key} from ${each.value.input}"
}

resource "terraform_data" "off" {
  count = var.create && length(var.names) > 5 ? 1 : 0
  input = "never"
}

resource "terraform_data" "all" {
  input = {
    text     = local.text
    lengths  = values(local.nested)[*].length
    first    = terraform_data.switched[0].input
    all      = terraform_data.switched[*].input
    old      = terraform_data.switched.*.input
    keyed    = { for key, one in terraform_data.filtered : key => one.input }
    off      = length(terraform_data.off) > 0 ? terraform_data.off[0].input : "off"
    one      = one(terraform_data.off[*].input)
    index    = index(var.names, "two")
    element  = element(var.names, 4)
    compare  = var.rules["ssh"].port == 22 && !var.rules.http.open
    nullable = try(var.rules.ftp.port, null)
    mixed    = true ? "text" : 1
    lookup   = lookup(var.rules, "ftp", { port = 21, open = false }).port
    regex    = regex("^(?P<head>[a-z]+)-(?P<tail>\\d+)$", "node-12")
    cidr     = [for i in range(3) : cidrsubnet("10.0.0.0/16", 8, i)]
    zip      = zipmap(["a", "b"], [1, 2])
  }
}
