variable "word" {
  type    = string
  default = "web"
}

variable "amount" {
  type    = number
  default = "3"
}

variable "ratio" {
  type    = number
  default = 0.25
}

variable "on" {
  type    = bool
  default = "true"
}

variable "off" {
  type    = bool
  default = false
}

variable "none" {
  type    = string
  default = null
}

variable "names" {
  type    = list(string)
  default = ["ann", "bob"]
}

variable "mixed" {
  type    = list(string)
  default = ["a", 1, true]
}

variable "numbers" {
  type    = list(number)
  default = ["4", 2, 3.5]
}

variable "sizes" {
  type    = map(number)
  default = { small = 1, large = "10" }
}

variable "tags" {
  type = map(string)
}

variable "ids" {
  type    = set(string)
  default = ["b", "a", "b", 10, 9]
}

variable "ports" {
  type    = set(number)
  default = [443, "80", 443]
}

variable "flags" {
  type    = map(bool)
  default = { a = "true", b = false }
}

variable "pair" {
  type    = tuple([string, number])
  default = [1, "2"]
}

variable "site" {
  type = object({
    name = string
    port = optional(number, 80)
    disk = optional(object({
      kind = optional(string, "ssd")
      gb   = optional(number)
    }), {})
    labels = optional(map(string))
  })
  default = { name = "main", dropped = true }
}

variable "sites" {
  type = map(object({
    size = optional(string, "small")
    disk = optional(object({
      kind = optional(string, "ssd")
      gb   = optional(number, 10)
    }))
  }))
  default = {
    b = { size = 5, disk = { gb = "20" } }
    a = {}
    c = { size = null, disk = null }
  }
}

variable "set_of_objects" {
  type    = set(object({ n = number, s = optional(string, "x") }))
  default = [{ n = 1 }, { n = "1", s = "x" }]
}

variable "loose" {
  type    = any
  default = { a = [1, "x"], b = { c = null } }
}

variable "anymap" {
  type    = map(any)
  default = { a = 1, b = "x" }
}

variable "nested" {
  type    = map(object({ list = list(object({ n = number })) }))
  default = { a = { list = [{ n = "7" }] } }
}

variable "stringy" {
  type    = object({ t = string, f = string, n = string })
  default = { t = true, f = false, n = 1.50 }
}

variable "defaulted" {
  type     = string
  default  = "from default"
  nullable = false
}

variable "untyped" {
  default = 5
}

variable "untyped_list" {
  default = ["a", 1]
}

variable "from_file" {
  type = number
}

variable "services" {
  type = list(object({
    name        = string
    port        = number
    tier        = optional(string, "web")
    public      = optional(bool, false)
    extra_ports = optional(list(number), [])
  }))
}

locals {
  pattern = "Hi $${who}, %%{ if n > 1 }many%%{ else }one%%{ endif }"
  shapes = {
    round  = "r=$${r}"
    square = null
  }
  port_map = { for s in var.services : s.name => s.port }
}
