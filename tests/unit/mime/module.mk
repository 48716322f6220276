$(eval $(call unit_test,mime,tests/unit/mime/test-mime.c,mime,))
$(eval $(call unit_test,mime-address,tests/unit/mime/test-address.c,mime,))
