# Commands that read, plan, back up or switch: none of them is to be reported.
terraform state list
terraform state show x
terraform state pull | jq .serial
terraform show -json tfplan
terraform output -json
terraform providers
terraform graph
terraform validate
terraform fmt -check
terraform version
terraform get
terraform workspace list
terraform workspace select prod
terraform plan -out=tfplan
terraform plan -refresh-only
terraform plan -detailed-exitcode
terraform init
terraform init -backend=false
terraform init -upgrade
terraform init -lockfile=readonly
terraform test
terraform apply tfplan
terraform apply
terraform apply -lock-timeout=5m tfplan
rm -rf .terraform
rm -f .terraform.lock.hcl
rm tfplan
aws s3 cp s3://tf/prod/terraform.tfstate s3://safe/backup/terraform.tfstate
aws s3api head-object --bucket b --key prod/terraform.tfstate
mc stat alias/b/terraform.tfstate
mc ls alias/b/terraform.tfstate
mc mb alias/state
aws s3 mb s3://state
docker compose down
docker rm -f x
docker volume ls
docker volume inspect x
docker volume create x
podman volume export x
pct list
pct config 100
pct status 100
pct enter 100
pct exec 100 -- systemctl status x
pct start 100
pct stop 100
pct reboot 100
qm list
qm config 100
qm agent 100 ping
pvesh get /nodes
pvesm list local
pvesm status
virsh list
virsh dominfo x
virsh dumpxml x
virsh start x
lxc list
lxc info x
kubectl get pods
kubectl describe pvc x
kubectl logs x
kubectl apply -f x
kubectl diff -f x
kubectl rollout status x
psql -c "SELECT 1"
pg_dump db
pg_basebackup -D /x
mysqldump db
mongodump
redis-cli INFO
redis-cli BGSAVE
etcdctl snapshot save x
vault operator raft snapshot save x
zfs snapshot tank/a@b
zfs send tank/a@b
borg create x
restic backup /data
kopia snapshot create x
psql -c "CREATE DATABASE x"
psql -c "CREATE ROLE y"
psql -c "GRANT ALL ON DATABASE x TO y"
grep -q '"type": "proxmox_lxc"' "$work_dir/terraform.tfstate"
git rm --cached terraform.tfstate
hostname -f
