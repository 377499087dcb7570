"""The SQL warehouses: lifecycle, the connector's Thrift protocol, and the Statement Execution API."""
