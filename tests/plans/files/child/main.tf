output "text" {
  value = chomp(file("${path.module}/note.txt"))
}
