"""The data sets: one file per kind of object, each keeping its IOD of PS3.3 so that dciodvfy finds no error."""
