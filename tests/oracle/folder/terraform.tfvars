tags = {
  Env  = "test"
  Cost = 42
}

from_file = "12"
defaulted = null

services = [
  { name = "web", port = 443, public = true, extra_ports = [80, 8080] },
  { name = "db", port = "5432", tier = "data" },
  { name = "api", port = 8443, extra_ports = [9000] },
]
