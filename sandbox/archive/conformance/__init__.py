"""The archive's DICOM conformance statement (PS3.2), made of the tables and the configuration it runs by."""
