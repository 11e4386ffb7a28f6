variable "never_null" {
  default  = "default of the child"
  nullable = false
}
variable "nothing" {
  default = "default of the child"
}
variable "flag" {
  type = bool
}
output "all" {
  value = [var.never_null, var.nothing, var.flag, !var.flag]
}
