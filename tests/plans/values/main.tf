# Where values of variables come from, and what their types make of them.
variable "by_default" {
  default = "default"
}
variable "by_file" {
  default = "default"
}
variable "by_json" {
  type    = list(number)
  default = []
}
variable "by_auto" {
  default = "default"
}
variable "flag" {
  type    = bool
  default = "true"
}
variable "number" {
  type    = number
  default = "12.50"
}
variable "text" {
  type    = string
  default = 42
}
variable "names" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "map" {
  type    = map(string)
  default = { b = 2, a = true }
}
variable "nothing" {
  type    = string
  default = null
}
variable "never_null" {
  type     = string
  default  = "kept"
  nullable = false
}
variable "any" {
  type    = map(any)
  default = { x = "1", y = 2 }
}
variable "tuple" {
  type    = tuple([string, number, bool])
  default = [1, "2", "false"]
}
variable "deep" {
  type = object({
    name = string
    opts = optional(object({
      on    = optional(bool, true)
      level = optional(number, 3)
      tags  = optional(map(string))
    }), {})
    list = optional(list(string), ["x"])
  })
  default = { name = "d", opts = { level = "7" }, extra = "dropped" }
}

locals {
  c = "${local.b}-c"
  b = "${local.a}-b"
  a = var.by_file
}

resource "terraform_data" "values" {
  input = {
    by_default = var.by_default
    by_file    = var.by_file
    by_json    = var.by_json
    by_auto    = var.by_auto
    flag       = var.flag
    number     = var.number
    text       = var.text
    names      = var.names
    map        = var.map
    nothing    = var.nothing
    never_null = var.never_null
    any        = var.any
    tuple      = var.tuple
    deep       = var.deep
    chain      = local.c
    old        = "${var.by_file}"
    old_map    = "${lookup(var.map, "a", "none")}"
    coalesced  = coalesce(var.nothing, "fallback")
    joined     = join(",", var.names)
  }
}

module "child" {
  source     = "./child"
  never_null = null
  nothing    = null
  flag       = "false"
}

resource "terraform_data" "child" {
  input = module.child.all
}
