default_scope = 'mmd2a'
