# Every template goes to the folder of its name below lib/templates.
template_dir = lib/templates$(patsubst templates%,%,$(patsubst %/,%,$(dir $(1))))
$(foreach t,$(shell find templates -name '*.in'),$(eval $(call install_file,$(t),$(call template_dir,$(t)),0644)))
$(eval $(call install_file,templates/actions,lib/templates,0644))
$(eval $(call install_file,templates/postfix/meta/dynamicmaps.cf,lib/postfix,0644))
$(eval $(call install_file,templates/postfix/meta/postfix-files,lib/postfix,0644))
$(eval $(call install_file,templates/clamav/mailstead-test.ndb,lib/clamav,0644))
