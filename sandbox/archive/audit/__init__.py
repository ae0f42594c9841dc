"""The audit trail of an archive (PS3.15 A.5): messages as typed objects, their XML, and where they go."""
