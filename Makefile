# Interim: the lab's root only.
root:
	@tests/lab/make-root
.PHONY: root
