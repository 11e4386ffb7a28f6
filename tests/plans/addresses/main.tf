# Addresses as Terraform prints them.
module "keyed" {
  source   = "./m"
  for_each = toset(["plain", "with space", "quo\"te", "dot.ted", "ünicode", "back\\slash", "$${x}"])
  name     = each.value
}

module "counted" {
  source = "./m"
  count  = "2"
  name   = tostring(count.index)
}

module "single" {
  source = "./m"
  name   = "one"
}

resource "terraform_data" "numbers" {
  for_each = toset([for number in [3, 1, 2] : tostring(number)])
  input    = each.key
}

resource "terraform_data" "from_counted" {
  for_each = { for index, module in module.counted : index => module.name }
  input    = "${each.key}:${each.value}"
}

resource "terraform_data" "objects" {
  for_each = {
    (module.single.name)    = 1
    "${module.single.name}2" = 2
    three                   = module.counted[1].name
  }
  input = each.value
}
