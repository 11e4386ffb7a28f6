//! Provider, module, command, service and doctrine facts.
