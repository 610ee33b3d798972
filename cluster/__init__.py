"""The gateway on this machine (`reasoning-gateway up`), and the files to run it on others."""
